"""How a fit tells others about itself: progress, learning curves and trackers observe it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """How much a fit has to do, and how much of it a checkpoint has brought.

    Args:
        epochs: Epochs at most.
        batches: Batches of an epoch.
        done_epochs: Epochs that were complete when it began.
        done_batches: Batches that were done of the next one.
        over: Whether nothing is left to do.
    """

    epochs: int
    batches: int
    done_epochs: int = 0
    done_batches: int = 0
    over: bool = False

    @property
    def resumed(self) -> bool:
        """Whether the fit goes on from a checkpoint."""
        return bool(self.done_epochs or self.done_batches)


@dataclass(frozen=True, kw_only=True)
class FitStep:
    """A step of a fit, just done.

    Args:
        number: Counted from 1 over all epochs, also those before the fit was resumed.
        epoch: The epoch that it belongs to, counted from 1.
        batch: Its number in that epoch, counted from 1.
        loss: Loss of the batch; of a pretraining the running mean.
        mean_loss: Mean loss of the epoch so far; of a pretraining the running mean.
        norm: Norm of the gradient, not clipped; NaN where it is not measured.
        tokens_per_second: Mean speed so far, validation not counted.
    """

    number: int
    epoch: int
    batch: int
    loss: float
    mean_loss: float
    norm: float = math.nan
    tokens_per_second: float


@dataclass(frozen=True, kw_only=True)
class FitEpoch:
    """An epoch of a fit, just complete.

    Args:
        number: Counted from 1.
        figures: What was measured, by name: at least `loss`, the mean over its steps.
        tokens_per_second: Mean speed so far, validation not counted.
    """

    number: int
    figures: Mapping[str, float]
    tokens_per_second: float


class Observer:
    """Hears how a fit goes; by itself it does nothing. What a method raises ends the fit."""

    def begin(self, plan: FitPlan) -> None:
        """Hear what the fit will do, before its first step."""

    def add_step(self, step: FitStep) -> None:
        """Hear of a step."""

    def add_epoch(self, epoch: FitEpoch) -> None:
        """Hear of an epoch, after its last step."""

    def end(self) -> None:
        """Hear that the fit has ended, whatever ended it; called once for each `begin`."""


class Observers(Observer):
    """Several observers as one, told in their order."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    @contextmanager
    def observing(self, plan: FitPlan) -> Iterator[None]:
        """Begin with all observers; in the end, in reverse order, end with those that began."""
        with ExitStack() as stack:
            for observer in self._observers:
                observer.begin(plan)
                stack.callback(observer.end)
            yield

    def add_step(self, step: FitStep) -> None:
        """Tell each observer."""
        for observer in self._observers:
            observer.add_step(step)

    def add_epoch(self, epoch: FitEpoch) -> None:
        """Tell each observer."""
        for observer in self._observers:
            observer.add_epoch(epoch)
