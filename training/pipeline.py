"""Trains a version from a dataset and publishes it: all steps in order."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np

from models.errors import GatewiseError
from models.golden import Golden
from models.installation import command
from models.metadata import Metadata
from models.registry import Store
from models.steering import give_label
from models.version_labels import CANARY, STABLE
from models.versions import CARD, GOLDEN, REPORT, Version
from training.console import console
from training.distillation.exam import Examined, can_examine, examine
from training.distillation.figures import compute
from training.distillation.terminal import print_distillation
from training.distillation.write import write_distillation
from training.errors import CannotWrite, ExportError, GateRefused, TrainingError
from training.evaluation.card import write_card
from training.evaluation.gate import Judgement, describe_refusal, judge, print_judgement
from training.evaluation.trained import measure_trained, report_trained
from training.export.cases import GOLDEN_TEXTS
from training.export.early_exit import fit_early_exit
from training.export.metadata import make_metadata
from training.export.verify import REFERENCE, VerifiedExport, verify_export
from training.export.version import export_version, size_of_version
from training.fitting.observer import Observer
from training.linear.baseline import Baseline, fit_baseline
from training.recipe.classifier import TrainedClassifier
from training.recipe.encoder_cache import PRETRAINING, TEACHING
from training.recipe.learn import learn
from training.recipe.speed import fit_into
from training.recipe.students import learn_with_less
from training.report.summary import Summary, answer_times, headline
from training.report.terminal import print_summary
from training.run import Run, start_repeatably
from training.settings_file import SETTINGS_FILE, write_settings
from training.tracking.mlflow import MlflowLog
from training.tracking.progress import FitProgress, PretrainProgress
from training.tracking.tensorboard import Curves
from training.workspace.interrupt import Interrupted
from training.workspace.space import writing


def train(run: Run, *, store: Store) -> Version:
    """Train a version and publish it.

    Raises:
        TrainingError: The training failed, or another training of that name is running. Nothing
            has been published.
        CannotWrite: A disk is full; the checkpoint is kept.
        GateRefused: The version is worse than that of the gate; it was put aside.
        Interrupted: A signal asked for the end. A run with `resume` continues from there.
    """
    model = store.root / run.settings.name
    with ExitStack() as stack:
        # The folder comes first: a store that cannot be written to then fails before the training.
        with writing(model):
            folder = stack.enter_context(store.staging(run.settings.name))
        stack.enter_context(run.lock())
        if not run.resume:
            _start_anew(run)
        log = stack.enter_context(MlflowLog(run))
        with _print_what_is_kept(run):
            metadata, summary, judgement = _build(
                replace(run, observers=partial(_observers, run, log)), folder=folder
            )
            if judgement is not None and not judgement.passed:
                _refuse(judgement, run, summary, log=log, metadata=metadata, folder=folder)
            with writing(model):
                version = store.publish(folder, metadata=metadata)
        run.clean_up()
        log.add_version(version)
    print_summary(summary)
    console.print(f"published {version.reference} at {version.path}")
    if judgement is not None:
        print_judgement(judgement)
        _make_canary(version, store=store)
    _tell_who_answers(version, store=store)
    return version


def _start_anew(run: Run) -> None:
    if run.has_checkpoints:
        console.print(
            "note: without --resume a new training begins; the checkpoints of the last one are "
            "deleted"
        )
    run.start_anew()


def _refuse(
    judgement: Judgement,
    run: Run,
    summary: Summary,
    *,
    log: MlflowLog,
    metadata: Metadata,
    folder: Path,
) -> NoReturn:
    """Put a version aside, with its report, and raise GateRefused."""
    aside = Store(run.refused_folder)
    with writing(aside.root), aside.staging(metadata.name) as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        refused = aside.publish(copy, metadata=metadata)
    run.clean_up()
    log.end_resuming()
    print_summary(summary)
    print_judgement(judgement)
    raise GateRefused(describe_refusal(judgement, aside=refused.path))


def _make_canary(version: Version, *, store: Store) -> None:
    """Let a version that has passed the gate be tried, where labels are in use.

    A trial of the version before goes on: each night's training would end it else.
    """
    name = version.metadata.name
    labels = store.labels(name)
    if not labels.versions:
        return
    before, part = labels.versions.get(CANARY), labels.parts.get(CANARY)
    if part is not None:
        kind = "share" if CANARY in labels.shares else "shadow"
        console.print(
            f"{name}:{before} is {CANARY} with a {kind} of {100 * part:.3g}% and stays it; "
            f"{version.reference} gets no label"
        )
        return
    give_label(store, version, CANARY)
    instead = f" in place of {name}:{before}" if before is not None else ""
    console.print(f"{version.reference} is {CANARY}{instead}")


def _tell_who_answers(version: Version, *, store: Store) -> None:
    """Say that requests go on to another version, where labels decide."""
    try:
        answers = store.resolve(version.metadata.name)
    except GatewiseError as error:
        console.print(f"it is not known which version answers: {error}")
        return
    name = version.metadata.name
    if answers.number == version.number:
        return
    if store.labels(name).versions.get(CANARY) == version.number:
        then = f"{command('models', f'promote {name}')} lets the new one answer"
    else:
        then = f"to try the new one: {command('models', f'label {version.reference} {CANARY}')}"
    console.print(f"{answers.reference} is {STABLE} and goes on answering; {then}")


def _build(run: Run, *, folder: Path) -> tuple[Metadata, Summary, Judgement | None]:
    """Make a version in `folder`; return its metadata, its report and what the gate found."""
    start_repeatably(run.settings.seed)
    started = time.monotonic()
    baseline = _fit_baseline(run)
    if run.budget is not None:
        run = fit_into(run, run.budget, baseline=time.monotonic() - started)
    learned = learn(run)
    less = _learn_with_less(run)
    settings = replace(run.settings, subwords=run.spells)  # the value, where it was left open
    metadata = make_metadata(run.prepared, learned, settings, origins=run.origins)
    model, needed = folder.parent, size_of_version(learned.classifier)
    with writing(model, needed=needed):
        metadata = export_version(
            learned.classifier, run.prepared, metadata=metadata, folder=folder
        )
    verified = _verify(run, learned.classifier, folder=folder)
    metadata = measure_trained(run, verified, baseline, metadata=metadata)
    metadata = metadata.model_copy(update={"stopping": fit_early_exit(verified.looks)})
    with writing(model, needed=needed):
        summary = report_trained(run, learned, baseline, verified, metadata=metadata, folder=folder)
        card = write_card(
            metadata,
            normalization=run.prepared.tokenizer.normalization,
            headline=headline(summary),
            answer_times=answer_times(summary),
        )
        (folder / CARD).write_text(card, encoding="utf-8")
        write_settings(settings, folder / SETTINGS_FILE)
        if run.prepared.taught is not None:
            examined = examine(run, run.prepared.taught, verified, less, metadata=metadata)
            _report_teacher(examined, summary, folder=folder / REPORT)
        judgement = None
        if run.gate is not None:
            judgement = judge(run, run.gate, verified, metadata=metadata)
            judgement.save(folder / REPORT)
    return metadata, summary, judgement


def _learn_with_less(run: Run) -> Mapping[float, TrainedClassifier]:
    """Return the classifiers that the report of a teacher compares with."""
    taught = run.prepared.taught
    if taught is None or not run.settings.teacher_curve or not can_examine(taught):
        return {}
    if run.budget is not None:
        console.print("note: trainings with less of the teacher are left out for the time budget")
        return {}
    return learn_with_less(run)


def _report_teacher(examined: Examined, summary: Summary, *, folder: Path) -> None:
    """Write and print what the student learned from its teacher."""
    cost = summary["cost"]
    took = cost["milliseconds_per_text"].get(REFERENCE)
    found = compute(examined, student={"milliseconds": took, "megabytes": cost["megabytes"]})
    if found is None:
        console.print("note: the teacher has no verdict on enough labelled rows to compare with")
        return
    write_distillation(found, title=summary["name"], folder=folder)
    print_distillation(found)


def _fit_baseline(run: Run) -> Baseline:
    with console.status("fitting the linear baseline"):
        baseline = fit_baseline(run.prepared.data, score=run.score, seed=run.settings.seed)
    figures = baseline.metrics["validation"]
    console.print(
        f"linear baseline ({baseline.kind}): validation accuracy {figures['accuracy']:.4f}, "
        f"macro f1 {figures['macro_f1']:.4f}"
    )
    return baseline


def _verify(run: Run, classifier: TrainedClassifier, *, folder: Path) -> VerifiedExport:
    """Verify the export against the trained classifier; record its golden predictions."""
    prepared = run.prepared
    splits = {purpose: rows for purpose, rows in prepared.ids.items() if purpose != "train"}
    golden = prepared.tokenizer.encode_batch(GOLDEN_TEXTS)
    verified = verify_export(classifier, folder, golden=golden, splits=splits)
    kept = np.flatnonzero(verified.steady).tolist()
    if len(kept) < len(golden):
        console.print(f"note: rounding moves {len(golden) - len(kept)} golden texts; left out")
    recorded = Golden.record(
        [GOLDEN_TEXTS[row] for row in kept],
        ids=[golden[row] for row in kept],
        probabilities=verified.golden[kept],
    )
    with writing(folder.parent):
        recorded.save(folder / GOLDEN)
    return verified


def _observers(run: Run, log: MlflowLog, stage: str) -> list[Observer]:
    """Return the observers of the fit of a stage."""
    if stage == PRETRAINING:
        return [PretrainProgress()]
    if stage == TEACHING:
        return [FitProgress(name="teaching the network")]
    return [FitProgress(), Curves(run.curves_folder(stage), resume=run.resume), log.observer(stage)]


@contextmanager
def _print_what_is_kept(run: Run) -> Iterator[None]:
    """Say how to resume if the training fails, unless it would fail again in the same way."""
    try:
        yield
    except BaseException as error:  # also a signal that arrives outside of a fit
        reported = isinstance(error, Interrupted)
        again = isinstance(error, TrainingError) and not isinstance(
            error, ExportError | CannotWrite
        )
        if run.has_checkpoints and not reported and not again:
            console.print("checkpoints are kept; to resume, give the same command and --resume")
        raise
