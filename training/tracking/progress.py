"""Shows the progress of a fit in the terminal."""

import math

from training.console import Bar, console
from training.fitting.observer import FitEpoch, FitPlan, FitStep, Observer

NOT_SHOWN = {"loss", "score", "seconds"}  # figures of an epoch that are not of validation


class FitProgress(Observer):
    """A bar for each epoch with loss and speed, and a line at its end.

    Args:
        name: The work in words.
    """

    def __init__(self, *, name: str = "fitting the network") -> None:
        self._name = name

    def begin(self, plan: FitPlan) -> None:
        """Print the place where a resumed fit continues, and show the bar."""
        if plan.resumed:
            place = f"in epoch {plan.done_epochs + 1} after {plan.done_batches:,} steps"
            console.print(f"resumed {'after the fit, which was complete' if plan.over else place}")
        self._epochs = plan.epochs
        self._bar = Bar(self._name, total=plan.batches)
        self._bar.start()

    def add_step(self, step: FitStep) -> None:
        """Move the bar on."""
        figures = f"loss {step.mean_loss:.4f}  {step.tokens_per_second:,.0f} tokens/s"
        self._bar.show(step.batch, figures, description=f"epoch {step.epoch}/{self._epochs}")

    def add_epoch(self, epoch: FitEpoch) -> None:
        """Print an epoch's figures and start the bar again."""
        shown = ", ".join(
            f"{name.replace('_', ' ')} {value:.4f}"
            for name, value in epoch.figures.items()
            if name not in NOT_SHOWN
        )
        console.print(
            f"epoch {epoch.number}/{self._epochs}: loss {epoch.figures['loss']:.4f}; "
            f"validation {shown}; {epoch.tokens_per_second:,.0f} tokens/s"
        )
        self._bar.restart()

    def end(self) -> None:
        """Take the bar away."""
        self._bar.stop()


class PretrainProgress(Observer):
    """A bar for all steps of a pretraining, with perplexity and speed."""

    def begin(self, plan: FitPlan) -> None:
        """Show the bar."""
        self._bar = Bar("pretraining", total=plan.epochs * plan.batches)
        self._bar.start()

    def add_step(self, step: FitStep) -> None:
        """Move the bar on."""
        perplexity = math.exp(min(step.mean_loss, 20))
        speed = f"{step.tokens_per_second:,.0f} tokens/s"
        self._bar.show(step.number, f"perplexity {perplexity:,.0f}  {speed}")

    def end(self) -> None:
        """Take the bar away."""
        self._bar.stop()
