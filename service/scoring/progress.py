"""Shows the progress of scoring on standard error, and counts rows."""

import time
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from models.tables.rows import Row, Table
from service.scoring.score import ScoringObserver

MOST_COMPLAINTS = 20


class ScoringProgress:
    """A bar that is shown while entered.

    Args:
        total: Number of all rows; None where only reading tells.
        notes: Choices that were made for the user, in words.
    """

    def __init__(self, *, total: int | None = None, notes: Sequence[str] = ()) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._progress = Progress(
            TextColumn("scoring"),
            BarColumn(),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[speed]:,.0f}/s"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=total, rows=0, speed=0.0)
        for each in notes:
            self.note(each)
        self._started = time.monotonic()
        self._rows = self._resumed = self._bad = self._shown = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def observe(self, table: Table) -> ScoringObserver:
        """Return what receives the progress of one table."""

        def complain(row: Row, what: str) -> None:
            self.complain(f"{table.unit} {row.place}: {what}")

        return ScoringObserver(advance=self.advance, complain=complain)

    def note(self, note: str) -> None:
        """Print a choice that was made for the user."""
        self._console.print(f"note: {note}")

    def advance(self, rows: int, known: bool) -> None:
        """Count rows; `known` says that they were scored by an earlier run."""
        self._rows += rows
        self._resumed += rows if known else 0
        self._progress.update(self._bar, completed=self._rows, rows=self._rows, speed=self._speed)

    def complain(self, complaint: str) -> None:
        """Count a bad row, and print what is wrong with it if it is one of the first."""
        self._bad += 1
        if self._shown < MOST_COMPLAINTS:
            self._shown += 1
            self._console.print(complaint)

    def count_bad(self, rows: int) -> None:
        """Count bad rows of which there is nothing to print."""
        self._bad += rows

    @property
    def _speed(self) -> float:
        return (self._rows - self._resumed) / (time.monotonic() - self._started)

    def sum_up(self) -> int:
        """Print the counts; return the number of rows with an answer."""
        said = f"{self._rows:,} rows, {self._speed:,.0f}/s"
        said += f", {self._resumed:,} of them scored before" if self._resumed else ""
        said += f"; {self._bad:,} bad" if self._bad else ""
        self._console.print(said)
        return self._rows - self._bad
