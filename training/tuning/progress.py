"""Shows the progress of a tuning: a bar of the time, and a line for every trial that ended."""

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from training.tuning.outcome import Outcome
from training.tuning.space import Values


class TuneProgress:
    """A bar that is shown while entered.

    Args:
        seconds: Time left at the start.
        score: Name of the score.
    """

    def __init__(self, *, seconds: float, score: str) -> None:
        self._score = score
        self._started = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            # Its own console, because that of training is silent during a trial.
            console=Console(
                stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True
            ),
            transient=True,
        )
        self._task = self._bar.add_task("", total=max(seconds, 1.0), figures="")

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def show_step(self, trial: int, epochs: int) -> None:
        """Advance the bar."""
        elapsed = time.monotonic() - self._started
        self._bar.update(
            self._task, description=f"trial {trial}, epoch {epochs + 1}", completed=elapsed
        )

    def show_trial(self, outcome: Outcome, *, best: Outcome | None) -> None:
        """Print the outcome of a trial."""
        self._bar.console.print(outcome_line(outcome, score=self._score))
        if best is not None:
            figures = f"best: trial {best.number}, {self._score} {best.score:.4f}"
            self._bar.update(self._task, figures=figures)


def outcome_line(outcome: Outcome, *, score: str) -> str:
    """Return an outcome in one line."""
    measured = outcome.measured
    found = "no epoch" if outcome.score is None else f"{score} {outcome.score:.4f}"
    if outcome.ending != "complete":
        found = f"{outcome.ending} after {measured.epochs} epochs, {found}"
    values = "the defaults" if outcome.is_default else list_values(outcome.values)
    return f"trial {outcome.number}: {found}, {measured.seconds:.0f} s; {values}"


def list_values(values: Values) -> str:
    """Return the values of a trial in words."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
