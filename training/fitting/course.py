"""The progress of a fit, and its result."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


@dataclass(kw_only=True)
class Course:
    """The progress of a fit; saved in checkpoints.

    Args:
        epoch: Epochs that are complete.
        batch: Complete batches of the next epoch.
        loss: Sum of the losses of those batches.
        seconds: Time of training so far, validation not counted.
        cpu_seconds: CPU time of all cores in `seconds`.
        history: Figures of each complete epoch, with the seconds until its end.
        best_epoch: The epoch best on validation so far, counted from 1.
        best_score: Its score.
        best_loss: Its log loss on validation.
        ended: Whether the fit was ended because its time was up.
        unread: Part of the last epoch that was left out for that reason.
    """

    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_score: float = -math.inf
    best_loss: float = math.inf
    ended: bool = False
    unread: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted network with the weights of its best epoch, and its course.

    Args:
        network: The network.
        planned: Epochs that the learning rate was planned for.
        course: The course of the fit.
        tokens_per_second: Mean speed of training, padding not counted.
        padding: Share of padding in the computed positions.
    """

    network: "keras.Model"
    planned: int
    course: Course
    tokens_per_second: float
    padding: float

    def record(self) -> dict[str, float]:
        """Return the figures for the metadata."""
        return {
            "seconds": round(self.course.seconds, 1),
            "tokens_per_second": round(self.tokens_per_second),
            "padding": round(self.padding, 4),
            "planned_epochs": self.planned,
            "epochs": self.course.epoch,
            "best_epoch": self.course.best_epoch,
        }
