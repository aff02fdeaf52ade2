"""The terminal or the log that a training writes to."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    track,
)
from rich.status import Status
from rich.text import Text

Item = TypeVar("Item")


class StageConsole(Console):
    """Prints stages into a log that a terminal shows as spinners and bars."""

    def status(self, status: Any, **options: Any) -> Status:
        """Return a spinner; in a log, print the stage as a line."""
        self.announce(status)
        return super().status(Text(str(status)), **options)

    def print_notes(self, notes: Iterable[str]) -> None:
        """Print a line for each choice that was made for the user."""
        for note in notes:
            self.print(f"note: {note}")

    def announce(self, stage: Any) -> None:
        """Print the next stage, except on a terminal, which shows a bar or a spinner."""
        if not self.is_terminal:
            self.print(stage)

    def track(self, items: Sequence[Item], description: str) -> Iterable[Item]:
        """Yield items with a bar and the time that is left; in a log, print the stage as a line."""
        self.announce(description)
        return track(
            items,
            description=escape(description),
            console=self,
            transient=True,
            disable=not self.is_terminal,
        )


# All output is plain text: a path or a label may look like markup.
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
    """A progress bar with figures beside it, shown from `start` to `stop`.

    Args:
        description: Name of the work.
        total: Steps in all.
    """

    def __init__(self, description: str, *, total: int) -> None:
        self._description = description
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
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
        """Remove the bar."""
        self._bar.stop()

    def show(self, done: int, figures: str, *, description: str | None = None) -> None:
        """Advance the bar, under another description if one is given."""
        self._bar.update(self._task, completed=done, figures=figures, description=description)

    def restart(self) -> None:
        """Set the bar back to 0 steps."""
        self._bar.reset(self._task)


class StepProgress:
    """A bar for work of many steps, shown while entered.

    Args:
        description: Name of the work.
        total: Steps in all.
    """

    def __init__(self, description: str, *, total: int) -> None:
        self._bar = Bar(description, total=total)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def show(self, done: int, figures: str) -> None:
        """Advance the bar."""
        self._bar.show(done, figures)
