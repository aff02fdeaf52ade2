"""Measures how fast this machine trains, and fits a training into a time budget."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from training.console import console
from training.defaults import choose_steps
from training.prepare import Rows
from training.recipe.encoder_cache import corpus_of, is_kept
from training.recipe.learn import examples, lesson_of
from training.recipe.teacher_vectors import measure_embedding
from training.recipe.teaching import FOLDER
from training.recipe.throwaway import fit_steps, pretrain_steps, teach_steps
from training.recipe.time_plan import (
    SLACK,
    Costs,
    TimePlan,
    choose_plan,
    describe_excess,
    describe_omissions,
    describe_plan,
)
from training.run import Run
from training.settings import Budget
from training.vectors.source import VectorSource
from training.workspace.atomic import save_json

PLAN = "plan.json"  # beside the checkpoints
FITS, AFTER = "fits", "after"  # in that file: the expected seconds of the fits, and after them
SECONDS = 3.0  # length of a measurement
# Time of the n-grams as a share of that of the baseline, which balances classes for macro-F1.
NGRAMS, NGRAMS_OF_BALANCED = 1.0, 0.4
# The work after the fits, as measured on trainings of up to 10,000 rows and 1,000 labels.
PASSES_OF_STEP = 3  # passes over a token that a step of the fit is worth; twice that if adversarial
REST_BASE = 5.0  # seconds
REST_STARTS = 4.0  # as often as a fit is started: export, two processes with engines, report
REST_LABELS = 0.01  # the same for each label: report
REST_PASSES = 6.0  # over each token of validation and test: training, engines, report
MOST_WATCHED = 2_500  # texts that are looked at for early exit
WATCH_PASSES = 4.0  # over each token of these, as they are read one by one


def fit_into(run: Run, budget: Budget, *, baseline: float) -> Run:
    """Return the run with as much of its work as fits, and with the time at which fits end.

    A resumed run keeps its first plan, and has the whole time once more.

    Args:
        run: The training.
        budget: The time of the whole command.
        baseline: Seconds that the linear baseline took.
    """
    wanted, seconds = _wanted(run), 60 * budget.minutes
    if run.resume and run.note(PLAN).is_file():
        console.print("time budget: resuming the plan of the stopped training")
        noted = json.loads(run.note(PLAN).read_text())
        until = _find_end(budget, fits=noted.pop(FITS, 0.0), after=noted.pop(AFTER, 0.0))
        return _follow(replace(run, fit_until=until), TimePlan(**noted), wanted=wanted)
    with console.status("measuring how fast this machine trains"):
        costs = measure_costs(run, budget, baseline=baseline)
    plan = choose_plan(wanted, costs, seconds=seconds)
    console.print(f"time budget {budget.minutes:g} min: {describe_plan(plan, costs)}")
    if omitted := describe_omissions(wanted, plan, costs):
        console.print(f"left out: {omitted}")
    if excess := describe_excess(plan, costs, seconds=seconds):
        console.print(f"warning: {excess}")
    times = {FITS: costs.of_fits(plan), AFTER: costs.after}
    save_json(asdict(plan) | times, path=run.note(PLAN))
    until = _find_end(budget, fits=times[FITS], after=times[AFTER])
    return _follow(replace(run, fit_until=until), plan, wanted=wanted)


def _find_end(budget: Budget, *, fits: float, after: float) -> float:
    """Return when fits end on a machine that turns out slower; what is planned has its time."""
    last = budget.started + 60 * budget.minutes - SLACK * after
    return max(last, time.monotonic() + fits)


def measure_costs(run: Run, budget: Budget, *, baseline: float) -> Costs:
    """Return the costs of the parts of a training, measured over some steps of each.

    For the arguments see `fit_into`.
    """
    own, settings = examples(run, lesson_of(run)), run.settings
    corpus = _count_tokens(run.prepared.corpus, cut=settings.max_tokens)
    fit = _measure(fit_steps(run, own))
    pretraining = embedding = 0.0
    if run.encoder is not None and not is_kept(run):
        embedding, pretraining = _measure_teaching(run, run.encoder)
    elif run.pretrains and not is_kept(run):
        tokens = _count_tokens(run.prepared.domain, cut=settings.pretrain.max_tokens)
        pretraining = tokens / _measure(pretrain_steps(run)).tokens_per_second
    passes = PASSES_OF_STEP * (2 if settings.fit.adversarial else 1)
    answering = 1 / (passes * fit.tokens_per_second)  # seconds of a token
    judging = answering * sum(map(len, run.judges.ids))
    return Costs(
        pretraining=pretraining,
        epoch=own.tokens / fit.tokens_per_second + judging,
        round_epoch=(own.tokens + corpus) / fit.tokens_per_second + judging,
        before=budget.spent,
        embedding=embedding,
        start=fit.start + _share_of_ngrams(run) * baseline,
        after=_estimate_rest(run, start=fit.start, answering=answering),
    )


def _share_of_ngrams(run: Run) -> float:
    """Return the time of the n-grams as a share of that of the baseline."""
    if not run.settings.ngrams:
        return 0.0
    balanced = run.score == "macro_f1" and run.prepared.data.task == "single_label"
    return NGRAMS_OF_BALANCED if balanced else NGRAMS


def _estimate_rest(run: Run, *, start: float, answering: float) -> float:
    """Return the seconds of all that follows the fits.

    Args:
        run: The training.
        start: Seconds to start a fit, the measure of all that does not depend on the rows.
        answering: Seconds to answer a token in a batch.
    """
    prepared = run.prepared
    tokens = sum(sum(map(len, rows)) for name, rows in prepared.ids.items() if name != "train")
    watched = sum(map(len, prepared.ids["validation"][:MOST_WATCHED]))
    reading = answering * (REST_PASSES * tokens + WATCH_PASSES * watched)
    starts = REST_STARTS + REST_LABELS * len(prepared.data.labels)
    return REST_BASE + starts * start + reading


@dataclass(frozen=True)
class Speed:
    """How fast steps are: the seconds until the second one begins, and tokens per second then."""

    start: float
    tokens_per_second: float


def measure_speed(run: Run) -> float:
    """Return the speed of fitting the network to the labelled rows, in tokens per second."""
    return _measure(fit_steps(run, examples(run, lesson_of(run)))).tokens_per_second


def _count_tokens(rows: Rows, *, cut: int) -> int:
    return sum(min(len(row), cut) for row in rows)


def _wanted(run: Run) -> TimePlan:
    settings, data = run.settings, run.prepared.data
    own = examples(run, lesson_of(run))
    _, epochs = choose_steps(settings.fit, rows=len(own), tokens=own.tokens, task=data.task)
    passes = settings.pretrain.epochs if run.pretrains else 0
    return TimePlan(
        pretraining=settings.teach.epochs if run.encoder is not None else passes,
        epochs=epochs,
        rounds=settings.self_training,
    )


def _follow(run: Run, plan: TimePlan, *, wanted: TimePlan) -> Run:
    """Return the run with the settings of a plan; change only those that the plan cuts."""
    settings = replace(run.settings, self_training=plan.rounds, share=plan.share)
    if plan.epochs != wanted.epochs:
        settings = replace(settings, fit=replace(settings.fit, epochs=plan.epochs))
    if plan.pretraining != wanted.pretraining and run.encoder is not None:
        return _teach_less(replace(run, settings=settings), passes=plan.pretraining)
    if plan.pretraining != wanted.pretraining:
        pretrain = replace(settings.pretrain, epochs=plan.pretraining)
        settings = replace(settings, pretrain=pretrain)
    return replace(run, settings=settings)


def _teach_less(run: Run, *, passes: int) -> Run:
    """Return the run with fewer passes of its encoder; without the encoder if none is left."""
    settings = run.settings
    if not passes:
        # Without the encoder, texts without labels would teach a language model that no plan has.
        settings = replace(settings, encoder=None, pretrain=replace(settings.pretrain, epochs=0))
        return replace(run, settings=settings, encoder=None)
    return replace(run, settings=replace(settings, teach=replace(settings.teach, epochs=passes)))


def _measure_teaching(run: Run, encoder: VectorSource) -> tuple[float, float]:
    """Return the seconds to embed the texts that an encoder teaches with, and those of a pass."""
    corpus, settings = corpus_of(run), run.settings.teach
    embedding, width = measure_embedding(encoder, corpus.texts, folder=run.work / FOLDER)
    tokens = sum(min(len(row), settings.max_tokens) for row in corpus.rows)
    return embedding, tokens / _measure(teach_steps(run, corpus, width=width)).tokens_per_second


def _measure(steps: Iterator[int]) -> Speed:
    """Return the speed of steps; each yields its number of tokens."""
    begun = time.perf_counter()
    next(steps)  # the first step is slow: TensorFlow traces it
    tokens, started = 0, time.perf_counter()
    for count in steps:
        tokens += count
        if (seconds := time.perf_counter() - started) > SECONDS:
            break
    return Speed(started - begun, tokens / seconds)
