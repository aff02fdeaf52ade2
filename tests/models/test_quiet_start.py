"""What a library says while it starts is held back, and shown if the start fails."""

import os

import pytest

from models.quiet_start import quiet_start


def test_notices_are_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_start():
        os.write(2, b"a notice\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_start_that_fails_says_all(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError), quiet_start():
        os.write(2, b"a notice\n")
        raise ImportError
    assert capfd.readouterr().err == "a notice\n"
