"""Shows people how far things are; nothing here decides anything."""

from typing import TYPE_CHECKING, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from training.console import console

if TYPE_CHECKING:
    from training.fitting.fit import Course


class _Bar:
    """A bar that is shown while entered."""

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

    def __enter__(self) -> Self:
        """Show the bar."""
        console.announce(self._description)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.stop()


class StepProgress(_Bar):
    """A bar for work of many steps.

    Args:
        description: What is done.
        total: Steps in all.
    """

    def show(self, done: int, figures: str) -> None:
        """Move the bar on."""
        self._bar.update(self._task, completed=done, figures=figures)


class FitProgress(_Bar):
    """A bar for each epoch with loss and speed, and a line when it ends.

    Args:
        epochs: Epochs at most.
        batches: Batches of an epoch.
        tokens: Tokens of an epoch, padding not counted.
    """

    def __init__(self, *, epochs: int, batches: int, tokens: int) -> None:
        super().__init__("fitting the network", total=batches)
        self._epochs = epochs
        self._batches = batches
        self._tokens = tokens

    def show_batch(self, course: "Course") -> None:
        """Move the bar on."""
        self._bar.update(
            self._task,
            description=f"epoch {course.epoch + 1}/{self._epochs}",
            completed=course.batch,
            figures=f"loss {course.loss / course.batch:.4f}  {self._speed(course):,.0f} tokens/s",
        )

    def show_epoch(self, course: "Course") -> None:
        """Print an epoch's figures and start the bar again."""
        figures = dict(course.history[-1])
        loss = figures.pop("loss")
        del figures["score"], figures["seconds"]
        shown = ", ".join(
            f"{name.replace('_', ' ')} {value:.4f}" for name, value in figures.items()
        )
        self._bar.console.print(
            f"epoch {course.epoch}/{self._epochs}: loss {loss:.4f}; "
            f"validation {shown}; {self._speed(course):,.0f} tokens/s"
        )
        self._bar.reset(self._task)

    def _speed(self, course: "Course") -> float:
        """Return the mean tokens per second so far, validation not counted."""
        epochs = course.epoch + course.batch / self._batches
        return epochs * self._tokens / max(course.seconds, 1e-9)
