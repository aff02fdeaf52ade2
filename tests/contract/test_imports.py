"""Holds the import rules: the contracts of pyproject.toml, and what contracts cannot say."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The one file that may use each, inside the functions that need it.
LATE = {
    ("service/engines/savedmodel.py", "tensorflow"),
    ("models/remotes/buckets.py", "gcsfs"),
    ("models/remotes/buckets.py", "s3fs"),
    ("models/remotes/hub.py", "huggingface_hub"),
    ("models/tables/parquet.py", "pyarrow"),
    ("service/web/access/redis_rates.py", "redis"),
    ("models/ray_cluster.py", "ray"),
    ("service/ray/deployment.py", "ray"),
    ("service/scoring/ray.py", "ray"),
}


def imports_when_loaded(path: Path) -> set[str]:
    """Return the packages that a file imports outside its functions."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.medium
def test_the_contracts_hold() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
    ]
    done = subprocess.run(
        [*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(("name", "module"), sorted(LATE))
def test_a_runtime_is_imported_when_it_is_chosen(name: str, module: str) -> None:
    assert module not in imports_when_loaded(ROOT / name)


def test_a_fit_writes_no_summaries() -> None:
    files = sorted((ROOT / "training" / "fitting").rglob("*.py"))
    assert len(files) > 5
    for path in files:
        assert "tf.summary" not in path.read_text(), path


@pytest.mark.parametrize("package", ["models", "service", "training"])
def test_there_is_no_drawer_for_odds_and_ends(package: str) -> None:
    names = {path.stem for path in (ROOT / package).rglob("*")}
    assert names & {"utils", "util", "common", "helpers", "helper", "misc"} == set()


@pytest.mark.medium
@pytest.mark.parametrize(
    "module", ["models.versions", "service.web.app", "service.replay", "training.__main__"]
)
def test_importing_starts_nothing(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "heavy = {'tensorflow', 'keras', 'onnxruntime', 'datasets', 'torch', 'sklearn', 'scipy',\n"
        "    'matplotlib', 'pandas', 'mlflow', 'optuna', 'ray'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
