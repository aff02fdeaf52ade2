"""The terminal shows the main figures."""

import pytest

from tests.training.report.known_results import results, single_split
from training.report.results import Cost
from training.report.summary import summarize
from training.report.terminal import print_summary


def test_main_figures(capsys: pytest.CaptureFixture[str]) -> None:
    splits = single_split(), single_split(name="validation", baseline=None)
    print_summary(summarize(results(*splits, labels=["[bold]x", "y"])))
    told = capsys.readouterr().err.replace("\N{NO-BREAK SPACE}", " ")
    assert "% of 300 test rows right" in told
    for line in ("test, 300 rows", "validation, 300 rows", "  accuracy", "  macro-F1"):
        assert line in told
    assert "p = " in told
    assert told.endswith(
        "\ntime to answer: onnx 1.20 ms, savedmodel 2.60 ms for a text of 174 tokens\n"
    )


def test_times_that_nobody_took(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summarize(results(single_split(), cost=Cost())))
    assert "time to answer" not in capsys.readouterr().err
