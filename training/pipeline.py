"""Trains a version from a dataset and publishes it: every step, in its order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import tensorflow as tf

from models.golden import Golden
from models.metadata import Metadata
from models.versions import CARD, EXTRA, GOLDEN, METADATA, REPORT, TOKENIZER, Store, Version
from training.calibration.metrics import measure
from training.calibration.scaling import unscaled
from training.console import console
from training.errors import ExportError, TrainingError
from training.evaluation.card import write_card
from training.evaluation.trained import gather_results
from training.export.cases import GOLDEN_TEXTS
from training.export.early_exit import fit_stopping
from training.export.metadata import describe
from training.export.onnx import export_onnx
from training.export.savedmodel import export_saved_model
from training.export.verify import Proof, prove_export
from training.export.weights import find_weights
from training.fitting.observer import Observer
from training.linear.baseline import Baseline, fit_baseline
from training.prepare import Prepared
from training.recipe.classifier import Classifier, halves
from training.recipe.encoder_cache import PRETRAINING
from training.recipe.learn import Learned, learn
from training.recipe.speed import fit_into
from training.report.summary import Summary, answer_times, headline
from training.report.terminal import print_summary
from training.report.write import write_report
from training.run import Run
from training.tracking.mlflow import MlflowLog
from training.tracking.progress import FitProgress, PretrainProgress
from training.tracking.tensorboard import Curves
from training.workspace.interrupt import Interrupted


def train(run: Run, *, store: Store) -> Version:
    """Train a version and publish it.

    Raises:
        TrainingError: Says in one line what is wrong; nothing has been published. So it is where
            another training of that name is at work.
        Interrupted: Somebody asked to stop; a run with `resume` goes on from there.
    """
    # The folder is made first, so that a store that cannot be written to is found before training.
    with store.staging(run.settings.name) as folder, run.lock(), MlflowLog(run) as log:
        with _tell_what_is_kept(run):
            metadata, summary = _build(
                replace(run, observers=partial(_observers, run, log)), folder=folder
            )
            version = store.publish(folder, metadata=metadata)
        run.clean_up()
        log.add_version(version)
    print_summary(summary)
    console.print(f"published {version.metadata.name}:{version.number} at {version.path}")
    return version


def _observers(run: Run, log: MlflowLog, stage: str) -> list[Observer]:
    """Return the observers of the fit of a stage."""
    if stage == PRETRAINING:
        return [PretrainProgress()]
    return [FitProgress(), Curves(run.curves_folder(stage)), log.observer(stage)]


@contextmanager
def _tell_what_is_kept(run: Run) -> Iterator[None]:
    """Say how to go on if the training ends before its time, unless that would end it again."""
    try:
        yield
    except BaseException as error:  # also a signal that comes when no fit listens
        told = isinstance(error, Interrupted)
        again = isinstance(error, TrainingError) and not isinstance(error, ExportError)
        if run.has_checkpoints and not told and not again:
            console.print("what was fitted is kept; to go on, give the same command and --resume")
        raise


def _build(run: Run, *, folder: Path) -> tuple[Metadata, Summary]:
    """Make a version in `folder`; return its metadata and what its report says."""
    start_repeatably(run.settings.seed)
    baseline = _fit_baseline(run)
    if run.budget is not None:
        run = fit_into(run, run.budget)
    learned = learn(run)
    settings = replace(run.settings, subwords=run.spells)  # what a default came to
    metadata = describe(run.prepared, learned, settings)
    metadata = export(learned.classifier, run.prepared, metadata=metadata, folder=folder)
    proof = _prove(learned.classifier, run.prepared, folder=folder)
    metadata = _measure(run, proof, baseline, metadata=metadata)
    metadata = metadata.model_copy(update={"stopping": fit_stopping(proof.looks)})
    summary = _report(run, learned, baseline, proof, metadata=metadata, folder=folder)
    card = write_card(metadata, headline=headline(summary), answer_times=answer_times(summary))
    (folder / CARD).write_text(card, encoding="utf-8")
    return metadata, summary


def start_repeatably(seed: int) -> None:
    """Make runs with the same seed equal: nothing random, no sum in the order threads finish."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def _fit_baseline(run: Run) -> Baseline:
    with console.status("fitting the linear baseline"):
        baseline = fit_baseline(run.prepared.data, score=run.score, seed=run.settings.seed)
    figures = baseline.metrics["validation"]
    console.print(
        f"linear baseline ({baseline.kind}): validation accuracy {figures['accuracy']:.4f}, "
        f"macro f1 {figures['macro_f1']:.4f}"
    )
    return baseline


def export(
    classifier: Classifier, prepared: Prepared, *, metadata: Metadata, folder: Path
) -> Metadata:
    """Write the version's network, tokenizer and metadata; return the latter, now with weights.

    Raises:
        ExportError: The network cannot be written.
    """
    with console.status("exporting"):
        export_saved_model(classifier, folder=folder)
        export_onnx(classifier, folder=folder)
        (folder / EXTRA).mkdir()
        prepared.tokenizer.save(folder / TOKENIZER)
        weights = find_weights(classifier, folder=folder)
        metadata = metadata.model_copy(update={"weights": weights})
        metadata.save(folder / METADATA)
    return metadata


def _prove(classifier: Classifier, prepared: Prepared, *, folder: Path) -> Proof:
    """Prove the export against what was trained; record its golden predictions."""
    splits = {purpose: rows for purpose, rows in prepared.ids.items() if purpose != "train"}
    golden = prepared.tokenizer.encode_batch(GOLDEN_TEXTS)
    proof = prove_export(classifier, folder, golden=golden, splits=splits)
    Golden.record(GOLDEN_TEXTS, ids=golden, probabilities=proof.golden).save(folder / GOLDEN)
    return proof


def _measure(run: Run, proof: Proof, baseline: Baseline, *, metadata: Metadata) -> Metadata:
    """Return the metadata with the figures of the exported version and of the baseline."""
    metrics: dict[str, dict[str, float]] = {}
    for purpose, probabilities in proof.splits.items():
        targets, leaked = run.prepared.data.splits[purpose].labels, run.prepared.leaks[purpose]
        metrics[purpose] = measure(probabilities, targets, thresholds=metadata.thresholds)
        if leaked.any() and not leaked.all():
            metrics[f"{purpose}_without_leaks"] = measure(
                probabilities[~leaked], targets[~leaked], thresholds=metadata.thresholds
            )
    return metadata.model_copy(update={"metrics": metrics, "baseline": baseline.metrics})


def _report(
    run: Run,
    learned: Learned,
    baseline: Baseline,
    proof: Proof,
    *,
    metadata: Metadata,
    folder: Path,
) -> Summary:
    """Write the report into the version; return what it says."""
    classifier = learned.classifier
    with console.status("writing the report"):
        uncalibrated = {}
        for purpose in proof.splits:
            logits = halves(classifier.network, classifier.ngrams, run.prepared.ids[purpose])
            uncalibrated[purpose] = unscaled(logits).probabilities(logits, task=classifier.task)
        results = gather_results(
            run.prepared,
            learned.fitted,
            baseline,
            proof,
            metadata,
            uncalibrated=uncalibrated,
            folder=folder,
        )
        return write_report(results, folder=folder / REPORT)
