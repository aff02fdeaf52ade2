"""Stops what can be gone on with, after every step."""

import signal
from collections.abc import Callable
from types import ModuleType
from typing import Self, TypeVar

import pytest

from training.workspace.interrupt import Interrupt, Interrupted

Result = TypeVar("Result")

MOST_STOPS = 30


class Impatient(Interrupt):
    """Asks to stop after every step."""

    def __enter__(self) -> Self:
        self.asked = signal.SIGINT
        return self


def finish_in_pieces(
    act: Callable[[], Result], *modules: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> Result:
    """Return what `act` leads to when `modules` stop it after every step and it is called again."""
    for module in modules:
        monkeypatch.setattr(module, "Interrupt", Impatient)
    for _ in range(MOST_STOPS):
        try:
            return act()
        except Interrupted:
            pass
    pytest.fail("it does not come to an end")
