"""Observers of a fit: progress bars, learning curves and trackers."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """The work of a fit, and the part of it that a checkpoint has brought.

    Args:
        epochs: Epochs at most.
        batches: Batches of an epoch.
        done_epochs: Complete epochs at the start.
        done_batches: Complete batches of the next epoch at the start.
        over: Whether nothing is left to do.
    """

    epochs: int
    batches: int
    done_epochs: int = 0
    done_batches: int = 0
    over: bool = False

    @property
    def resumed(self) -> bool:
        """Whether the fit resumes from a checkpoint."""
        return bool(self.done_epochs or self.done_batches)


@dataclass(frozen=True, kw_only=True)
class FitStep:
    """The last step of a fit.

    Args:
        number: Counted from 1 over all epochs, also those before a resumption.
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
    """The last complete epoch of a fit.

    Args:
        number: Counted from 1.
        figures: Measurements by name: at least `loss`, the mean over the steps.
        tokens_per_second: Mean speed so far, validation not counted.
    """

    number: int
    figures: Mapping[str, float]
    tokens_per_second: float


class Observer:
    """Gets the progress of a fit; this base does nothing. An exception of a method ends the fit."""

    def begin(self, plan: FitPlan) -> None:
        """Receive the plan, before the first step."""

    def add_step(self, step: FitStep) -> None:
        """Receive a step."""

    def add_epoch(self, epoch: FitEpoch) -> None:
        """Receive an epoch, after its last step."""

    def is_time_up(self) -> bool:
        """Whether the fit should end after this step; asked after each."""
        return False

    def end(self) -> None:
        """Handle the end of the fit, also after an exception; called once for each `begin`."""


class Observers(Observer):
    """Several observers as one, called in order."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    @contextmanager
    def observing(self, plan: FitPlan) -> Iterator[None]:
        """Call `begin` of all observers; on exit call `end` of those in reverse order."""
        with ExitStack() as stack:
            for observer in self._observers:
                observer.begin(plan)
                stack.callback(observer.end)
            yield

    def add_step(self, step: FitStep) -> None:
        """Pass a step to each observer."""
        for observer in self._observers:
            observer.add_step(step)

    def add_epoch(self, epoch: FitEpoch) -> None:
        """Pass an epoch to each observer."""
        for observer in self._observers:
            observer.add_epoch(epoch)

    def is_time_up(self) -> bool:
        """Whether one of them ends the fit."""
        return any(observer.is_time_up() for observer in self._observers)


class Deadline(Observer):
    """Ends a fit at a time.

    Args:
        until: The time, on the monotonic clock.
    """

    def __init__(self, until: float) -> None:
        self._until = until

    def is_time_up(self) -> bool:
        """Whether it is that late."""
        return time.monotonic() >= self._until
