"""How a transfer comes on is written now and then where there is no terminal to draw on."""

import re

import pytest

from models.remotes import progress
from models.remotes.progress import Display


def test_size_rate_and_time_left_are_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with Display() as display:
        display.begin("s3://bucket/[reviews]@3", size=8_000_000)
        display.advance(2_000_000)
        display.say("wait [1]")
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    line = r"s3://bucket/\[reviews\]@3: 2.0 of 8.0 MB, [0-9.]+ MB/s, \d+ s left"
    assert re.fullmatch(line, first)
    assert second == "wait [1]"


def test_little_is_written_of_what_takes_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as display:
        display.begin("hf://owner/reviews@3", size=10)
        display.advance(10)
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_drawn_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with Display() as display:
        display.begin("hf://owner/reviews@3", size=2_000_000)
        display.advance(1_000_000)
        display._bar.refresh()
    err = capsys.readouterr().err
    assert "hf://owner/reviews@3" in err
    assert "1.0/2.0 MB" in err
