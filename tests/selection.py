"""Marks tests by what they use, and leaves out whole modules before they start TensorFlow.

`-m "not tensorflow"` deselects tests only after pytest has imported their modules, and that import
takes as long as a third of the tests that are left.
"""

import re
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent
_TRAINING_FIXTURES = {"eager", "trained", "trained_tags"}
_UNASKED = "this starts TensorFlow; mark it as tensorflow"
# The marks of all tests in a folder. Other tests cover the code that keeps promises.
_FOLDERS = {"e2e": {"e2e"}, "promises": {"e2e", "slow", "unmeasured"}}
# A module that marks all of its tests may import TensorFlow at its top, others may not.
_MODULE_MARKS = re.compile(r"^pytestmark = .*(?:\n[ \]].*)*", re.MULTILINE)


def excluded_marks(config: pytest.Config) -> set[str]:
    """Return the marks that no test has which `-m` lets run."""
    parts = config.option.markexpr.split(" and ")
    return {part.removeprefix("not ") for part in parts if part.startswith("not ")}


def module_marks(path: Path) -> set[str]:
    """Return the marks that a module gives to all of its tests."""
    found = _MODULE_MARKS.search(path.read_text())
    return set(re.findall(r"\bmark\.(\w+)", found[0])) if found else set()


def folder_marks(path: Path) -> set[str]:
    """Return the marks that the folder of a module gives to all of its tests."""
    top, *_ = path.relative_to(_TESTS).parts if path.is_relative_to(_TESTS) else ("",)
    return _FOLDERS.get(top, set())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    excluded = excluded_marks(config)
    if not excluded or not collection_path.match("test_*.py"):
        return None
    marks = folder_marks(collection_path) | module_marks(collection_path)
    return True if excluded & marks else None


def pytest_itemcollected(item: pytest.Item) -> None:
    if not _TRAINING_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        item.add_marker("tensorflow")
    for mark in folder_marks(item.path):
        item.add_marker(mark)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put modules with slow tests first, so that no process is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    before = set(sys.modules)
    report = yield
    named = collector.path.is_file() and "tensorflow" in module_marks(collector.path)
    if not named and _starts_unasked(collector.config, before):  # a module that is named is read
        report.outcome, report.longrepr = "failed", _UNASKED
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    before = set(sys.modules)
    result = yield
    if _starts_unasked(item.config, before):
        pytest.fail(_UNASKED, pytrace=False)
    return result


def _starts_unasked(config: pytest.Config, before: set[str]) -> bool:
    return "tensorflow" in excluded_marks(config) & (set(sys.modules) - before)
