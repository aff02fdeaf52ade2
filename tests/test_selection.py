"""A module is left out before its import if `-m` excludes a mark that all of its tests have."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.selection import folder_marks, module_marks, pytest_collection_modifyitems

ROOT = Path(__file__).resolve().parents[1]
SLOW_IMPORT = "import sys\nsys.modules.setdefault('tensorflow', sys)\n"


@pytest.mark.parametrize(
    ("lines", "marks"),
    [
        ("pytestmark = pytest.mark.e2e  # which starts processes\n\nX = pytest.mark.slow", {"e2e"}),
        ("pytestmark = [pytest.mark.e2e, pytest.mark.slow]", {"e2e", "slow"}),
        ("pytestmark = [\n    pytest.mark.slow,\n]\n@pytest.mark.e2e\n", {"slow"}),
        ("@pytest.mark.tensorflow\ndef test(): ...", set()),
    ],
)
def test_marks_of_a_module(lines: str, marks: set[str], tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(f"import pytest\n{lines}\n")
    assert module_marks(path) == marks


def test_marks_of_a_folder() -> None:
    assert folder_marks(ROOT / "tests/promises/hostile/test_it.py") == {"e2e", "slow", "unmeasured"}
    assert folder_marks(ROOT / "tests/e2e/test_it.py") == {"e2e"}
    assert folder_marks(ROOT / "tests/test_client.py") == set()
    assert folder_marks(ROOT / "elsewhere/e2e/test_it.py") == set()


def test_modules_with_slow_tests_come_first_and_stay_whole() -> None:
    def make(name: str, module: str, *marks: str) -> Any:
        found = dict.fromkeys(marks, name)
        return SimpleNamespace(name=name, path=Path(module), get_closest_marker=found.get)

    items = [
        make("one", "quick.py"),
        make("two", "mixed.py"),
        make("three", "mixed.py", "slow"),
        make("four", "other.py", "e2e"),
        make("five", "heavy.py", "slow"),
    ]
    pytest_collection_modifyitems(items)
    assert [item.name for item in items] == ["two", "three", "five", "one", "four"]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("module", "status"),
    [
        (f"import pytest\n{SLOW_IMPORT}pytestmark = pytest.mark.tensorflow\ndef test(): ...", 5),
        (f"{SLOW_IMPORT}def test(): ...", 2),
        ("def test():\n    import sys; sys.modules.setdefault('tensorflow', sys)", 1),
        ("def test(): ...", 0),
    ],
    ids=["all marked", "imports it unmarked", "starts it unmarked", "does without"],
)
def test_fast_tests_start_no_tensorflow(module: str, status: int, tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(module + "\n")
    options = ("-p", "tests.selection", "-p", "no:cacheprovider", "-m", "not tensorflow")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(path.parent)],
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout
    assert ("this starts TensorFlow" in done.stdout) == (status in (1, 2))


@pytest.mark.slow
@pytest.mark.e2e
def test_all_fast_tests_can_be_collected_without_tensorflow() -> None:
    fast = "not tensorflow and not e2e and not slow"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-m", fast],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:]
