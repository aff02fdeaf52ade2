"""Lets a person stop a fit between two steps."""

import signal
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal asked the fit to stop. Not an error, so `except Exception` lets it pass.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interrupt:
    """While entered, notes the first Ctrl-C or SIGTERM; a second one acts as usual."""

    def __init__(self) -> None:
        self.asked = 0
        self._before: dict[int, Any] = {}

    def leave_if_asked(self) -> None:
        """Raise Interrupted if a signal came."""
        if self.asked:
            raise Interrupted(self.asked)

    def __enter__(self) -> Self:
        """Handle signals from now on, in the main thread; others get none."""
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_IGN:  # ignored in the background of a shell
                continue
            try:
                self._before[number] = signal.signal(number, self._note)
            except ValueError:
                break
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the former handlers."""
        self._restore()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.asked = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
