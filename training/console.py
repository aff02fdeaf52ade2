"""The terminal, where people watch a training, or the log that they read later."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
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


class Bar:
    """A progress bar with figures beside it, from `start` to `stop`.

    Args:
        description: What is done.
        total: Steps in all.
    """

    def __init__(self, description: str, *, total: int) -> None:
        self._description = description
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,  # else it leaves an empty line
        )
        self._task = self._bar.add_task(description, total=total, figures="")

    def start(self) -> None:
        """Show the bar."""
        console.announce(self._description)
        self._bar.start()

    def stop(self) -> None:
        """Take the bar away."""
        self._bar.stop()

    def show(self, done: int, figures: str, *, description: str | None = None) -> None:
        """Move the bar on, under another description if one is given."""
        self._bar.update(self._task, completed=done, figures=figures, description=description)

    def restart(self) -> None:
        """Start again from no step."""
        self._bar.reset(self._task)


class StepProgress:
    """A bar for work of many steps, shown while entered.

    Args:
        description: What is done.
        total: Steps in all.
    """

    def __init__(self, description: str, *, total: int) -> None:
        self._bar = Bar(description, total=total)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.stop()

    def show(self, done: int, figures: str) -> None:
        """Move the bar on."""
        self._bar.show(done, figures)
