"""Gathers what a report is made of from the parts of a training."""

from pathlib import Path

from models.golden import Probabilities
from models.metadata import Metadata
from training.export.verify import Proof
from training.fitting.course import Fitted
from training.linear.baseline import Baseline
from training.prepare import Prepared
from training.report.results import Cost, Results, SplitResult


def gather_results(
    prepared: Prepared,
    fitted: Fitted,
    baseline: Baseline,
    proof: Proof,
    metadata: Metadata,
    *,
    uncalibrated: dict[str, Probabilities],
    folder: Path,
) -> Results:
    """Return the results of a training whose version lies in `folder`."""
    splits = {
        purpose: SplitResult(
            name=purpose,
            labels=prepared.data.splits[purpose].labels,
            probabilities=found,
            uncalibrated=uncalibrated[purpose],
            baseline=baseline.probabilities[purpose],
            baseline_thresholds=baseline.thresholds,
            lengths=prepared.lengths(purpose),
            leaked=prepared.leaks[purpose],
            row_numbers=prepared.data.splits[purpose].rows,
        )
        for purpose, found in proof.splits.items()
    }
    return Results.of(
        metadata,
        title=f"{metadata.name}: {metadata.architecture.cell.upper()}",
        splits=splits,
        epochs=[_curve(figures) for figures in fitted.course.history],
        best_epoch=fitted.course.best_epoch,
        cost=Cost(
            parameters=metadata.architecture.parameters,
            megabytes=sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6,
            milliseconds_per_text=proof.milliseconds,
            timed_tokens=proof.timed_tokens,
            training_seconds=fitted.course.seconds,
            tokens_per_second=fitted.tokens_per_second,
        ),
    )


def _curve(figures: dict[str, float]) -> dict[str, float]:
    """Return an epoch's figures under the names of learning curves."""
    return {
        "loss": figures["loss"],
        "val_loss": figures["log_loss"],
        "val_accuracy": figures["accuracy"],
        "val_macro_f1": figures["macro_f1"],
    }
