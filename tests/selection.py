"""Marks tests by what they use, and leaves out whole modules before they start TensorFlow.

`-m "not tensorflow and not e2e"` deselects tests only after pytest has imported their modules, and
that import takes longer than the tests that are left.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_TRAINING_FIXTURES = {"eager", "trained", "trained_tags"}
_PROCESSES = Path(__file__).parent / "e2e"
# A module that marks all of its tests may import TensorFlow at its top, others may not.
_MODULE_MARKS = re.compile(r"^pytestmark = (?:.|\n )*", re.MULTILINE)


def excluded_marks(config: pytest.Config) -> set[str]:
    """Return the marks that no test has which `-m` lets run."""
    parts = config.option.markexpr.split(" and ")
    return {part.removeprefix("not ") for part in parts if part.startswith("not ")}


def module_marks(path: Path) -> set[str]:
    """Return the marks that a module gives to all of its tests."""
    found = _MODULE_MARKS.search(path.read_text())
    return set(re.findall(r"\bmark\.(\w+)", found[0])) if found else set()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    excluded = excluded_marks(config)
    if not excluded or not collection_path.name.startswith("test_"):
        return None
    return True if excluded & module_marks(collection_path) else None


def pytest_itemcollected(item: pytest.Item) -> None:
    if not _TRAINING_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        item.add_marker("tensorflow")
    if item.path.is_relative_to(_PROCESSES):
        item.add_marker("e2e")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield
    if "tensorflow" in excluded_marks(item.config) and "tensorflow" in sys.modules:
        pytest.fail("TensorFlow was started; mark what starts it as tensorflow", pytrace=False)
