"""Every stage is told once: by something that moves on a terminal, by a line in a log."""

import io
import re

import pytest

from training.console import StageConsole, StepProgress, console

STAGE = "reading [/the] rows"


def show(*, terminal: bool) -> tuple[StageConsole, io.StringIO]:
    file = io.StringIO()
    options = {"markup": False, "highlight": False, "emoji": False}
    return StageConsole(file=file, force_terminal=terminal, width=80, **options), file


def test_a_log_has_a_line_for_each_stage() -> None:
    shown, file = show(terminal=False)
    with shown.status(STAGE):
        shown.print("note: something")
    shown.announce("fitting")
    assert file.getvalue() == f"{STAGE}\nnote: something\nfitting\n"


def test_a_terminal_has_a_spinner_instead() -> None:
    shown, file = show(terminal=True)
    shown.announce("fitting")
    assert file.getvalue() == ""
    with shown.status(STAGE):
        pass
    lines = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", file.getvalue()).splitlines()
    assert not [line for line in lines if line == STAGE]


def test_what_is_shown_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, file = show(terminal=True)
    with shown.status(STAGE):
        pass
    assert STAGE in file.getvalue()
    shown, file = show(terminal=True)
    assert list(shown.track([1, 2], STAGE)) == [1, 2]
    assert STAGE in file.getvalue()
    shown, file = show(terminal=True)
    monkeypatch.setattr("training.console.console", shown)
    with StepProgress(STAGE, total=3) as progress:
        progress.show(1, "[/b] figures")
    assert STAGE in file.getvalue()
    assert "[/b] figures" in file.getvalue()


def test_bars_are_told_in_a_log_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert not console.is_terminal
    with StepProgress("pretraining", total=3) as progress:
        progress.show(1, "perplexity 3")
    assert capsys.readouterr().err == "pretraining\n"
