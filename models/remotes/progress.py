"""Shows on standard error how a transfer comes on: size, rate and time left."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

LINE_SECONDS = 10.0  # between two lines, where there is no terminal to draw a bar on


class Display:
    """An observer that draws a bar, or writes a line now and then where there is no terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._lines = _Lines(self._console)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, what: str, *, size: int) -> None:
        """Take the name of what is transferred, and its size in bytes."""
        self._bar.add_task(what, total=size)
        self._lines.begin(what, size=size)

    def advance(self, count: int) -> None:
        """Count further bytes."""
        for task in self._bar.task_ids:
            self._bar.advance(task, count)
        if not self._console.is_terminal:
            self._lines.advance(count)

    def say(self, line: str) -> None:
        """Write a line."""
        self._console.print(line, soft_wrap=True)


class _Lines:
    """Writes lines in place of a bar.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._what, self._size, self._done = "", 0, 0
        self._began = self._told = time.monotonic()

    def begin(self, what: str, *, size: int) -> None:
        self._what, self._size, self._done = what, size, 0
        self._began = self._told = time.monotonic()

    def advance(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._told >= LINE_SECONDS:
            self._told = now
            rate = max(self._done, 1) / (now - self._began)
            self._console.print(
                f"{self._what}: {self._done / 1e6:.1f} of {self._size / 1e6:.1f} MB, "
                f"{rate / 1e6:.1f} MB/s, {(self._size - self._done) / rate:.0f} s left",
                soft_wrap=True,
            )
