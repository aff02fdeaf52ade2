"""The terminal shows the main figures."""

import pytest

from tests.training.report.made import results, single_split
from training.report.summary import summarize
from training.report.tell import tell


def test_main_figures(capsys: pytest.CaptureFixture[str]) -> None:
    splits = single_split(), single_split(name="validation", baseline=None)
    tell(summarize(results(*splits, labels=["[bold]x", "y"])))
    told = capsys.readouterr().err.replace("\N{NO-BREAK SPACE}", " ")
    assert "% of 300 test rows right" in told
    for line in ("test, 300 rows", "validation, 300 rows", "  accuracy", "  macro-F1"):
        assert line in told
    assert "p = " in told
