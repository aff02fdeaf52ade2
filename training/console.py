"""The terminal, where people watch a training, or the log that they read later."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.status import Status


class StageConsole(Console):
    """Says in a log too what a terminal shows by something that moves."""

    def status(self, status: Any, **options: Any) -> Status:
        """Return a spinner; where none can turn, a line says once what is done."""
        self.announce(status)
        return super().status(status, **options)

    def announce(self, stage: Any) -> None:
        """Print what is done next, unless this is a terminal, which has a bar or a spinner."""
        if not self.is_terminal:
            self.print(stage)


# What is printed is plain text: a path or a label may look like markup.
console = StageConsole(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


@contextmanager
def hushed() -> Iterator[None]:
    """Print nothing while entered."""
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before
