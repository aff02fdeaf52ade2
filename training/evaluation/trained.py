"""Measures a trained version and reports on it, from the answers of its export."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import Metadata
from models.versions import REPORT
from training.calibration.metrics import measure
from training.calibration.scaling import unscaled
from training.console import console
from training.export.verify import VerifiedExport
from training.fitting.course import Fitted
from training.linear.baseline import Baseline
from training.prepare import Prepared
from training.recipe.classifier import halves
from training.recipe.learn import Learned
from training.report.results import Cost, Results, SplitResult
from training.report.summary import Summary
from training.report.write import write_report
from training.run import FEWEST_HONEST, Run

WITHOUT_LEAKS = "_without_leaks"
"""Behind the name of a split: figures of its rows that are not in train."""
DECIDING = "validation_that_decides"
"""Figures of the validation rows that decided, where the names of others do not say which."""


def measure_trained(
    run: Run, verified: VerifiedExport, baseline: Baseline, *, metadata: Metadata
) -> Metadata:
    """Return the metadata with the figures of the exported version and of the baseline."""
    metrics: dict[str, dict[str, float]] = {}
    rule = DecisionRule.of(metadata)
    for purpose, probabilities in verified.splits.items():
        targets, leaked = run.prepared.data.splits[purpose].labels, run.prepared.leaks[purpose]
        metrics[purpose] = measure(probabilities, targets, rule=rule)
        if leaked.any() and not leaked.all():
            metrics[f"{purpose}{WITHOUT_LEAKS}"] = measure(
                probabilities[~leaked], targets[~leaked], rule=rule
            )
        if purpose == "validation" and _decide_apart(honest := run.honest, leaked):
            metrics[DECIDING] = measure(probabilities[honest], targets[honest], rule=rule)
    return metadata.model_copy(update={"metrics": metrics, "baseline": baseline.metrics})


def _decide_apart(honest: NDArray[np.bool_], leaked: NDArray[np.bool_]) -> bool:
    """Whether other rows decide than all, or those without leaks if they are enough."""
    clean = ~leaked
    usual = clean if clean.sum() >= FEWEST_HONEST else np.ones_like(clean)
    return not np.array_equal(honest, usual)


def report_trained(
    run: Run,
    learned: Learned,
    baseline: Baseline,
    verified: VerifiedExport,
    *,
    metadata: Metadata,
    folder: Path,
) -> Summary:
    """Write the report into the version; return its summary."""
    classifier = learned.classifier
    with console.status("writing the report"):
        uncalibrated = {}
        for purpose in verified.splits:
            logits = halves(classifier.network, classifier.ngrams, run.prepared.ids[purpose])
            uncalibrated[purpose] = unscaled(logits).probabilities(logits, task=classifier.task)
        results = _make_results(
            run.prepared,
            learned.fitted,
            baseline,
            verified,
            metadata,
            uncalibrated=uncalibrated,
            folder=folder,
        )
        return write_report(results, folder=folder / REPORT)


def _make_results(
    prepared: Prepared,
    fitted: Fitted,
    baseline: Baseline,
    verified: VerifiedExport,
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
            baseline_thresholds=baseline.rule.thresholds,
            lengths=prepared.lengths(purpose),
            leaked=prepared.leaks[purpose],
            row_numbers=prepared.data.splits[purpose].rows,
        )
        for purpose, found in verified.splits.items()
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
            milliseconds_per_text=verified.milliseconds,
            timed_tokens=verified.timed_tokens,
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
