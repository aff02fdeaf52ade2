"""What is unmeasured stops the coverage for as long as it takes, and hides it from processes."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import coverage
import pytest

from tests.measuring import is_measured, unmeasured

TESTS = Path(__file__).parent
CONFIG = "COVERAGE_PROCESS_CONFIG"


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a coverage hears that is at work."""
    calls: list[str] = []
    at_work = SimpleNamespace(
        stop=lambda: calls.append("stop"), start=lambda: calls.append("start")
    )
    monkeypatch.setattr(coverage.Coverage, "current", lambda: at_work)
    monkeypatch.setenv(CONFIG, "some")
    return calls


def test_nothing_is_measured_meanwhile(heard: list[str]) -> None:
    with unmeasured():
        assert heard == ["stop"]
        assert CONFIG not in os.environ
    assert heard == ["stop", "start"]
    assert os.environ[CONFIG] == "some"


def test_it_goes_on_after_an_error(heard: list[str]) -> None:
    with pytest.raises(EOFError), unmeasured():
        raise EOFError
    assert heard == ["stop", "start"]
    assert os.environ[CONFIG] == "some"


def test_where_nothing_is_measured_nothing_changes(
    heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage.Coverage, "current", lambda: None)
    with unmeasured():
        assert os.environ[CONFIG] == "some"
    assert heard == []


@pytest.mark.parametrize(
    ("module", "marks", "measured"),
    [
        ("models/test_atomic.py", {}, True),
        ("contract/test_serving.py", {"tensorflow": 1}, True),
        ("contract/test_export.py", {"unmeasured": 1}, False),
        ("training/test_cli.py", {}, False),
        ("training/fitting/test_fit.py", {"tensorflow": 1}, False),
    ],
)
def test_of_whom(module: str, marks: dict[str, Any], measured: bool) -> None:
    item: Any = SimpleNamespace(path=TESTS / module, get_closest_marker=marks.get)
    assert is_measured(item) is measured
