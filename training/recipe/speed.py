"""Measures how fast this machine trains, and fits a training into a time budget."""

import itertools
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np

from training.console import console
from training.defaults import choose_epochs
from training.fitting.batches import Examples, LengthBatches
from training.fitting.fit import make_optimizer, make_step
from training.fitting.objective import make_loss
from training.prepare import Rows
from training.recipe.encoder_cache import is_kept
from training.recipe.language_model import Pretraining
from training.recipe.learn import build_start, examples, labelled
from training.recipe.time_plan import (
    Costs,
    TimePlan,
    choose_plan,
    describe_omissions,
    describe_plan,
)
from training.run import Run
from training.settings import Budget
from training.workspace.atomic import save_json

PLAN = "plan.json"  # beside the checkpoints
SECONDS = 3.0  # length of a measurement


def fit_into(run: Run, budget: Budget) -> Run:
    """Return the run with as much of its work as fits.

    A resumed run keeps its first plan.
    """
    wanted = _wanted(run)
    if run.resume and run.note(PLAN).is_file():
        console.print("time budget: resuming the plan of the stopped training")
        return _follow(run, TimePlan(**json.loads(run.note(PLAN).read_text())), wanted=wanted)
    with console.status("measuring how fast this machine trains"):
        costs = measure_costs(run, before=budget.spent)
    plan = choose_plan(wanted, costs, seconds=60 * budget.minutes)
    console.print(f"time budget {budget.minutes:g} min: {describe_plan(plan, costs)}")
    if omitted := describe_omissions(wanted, plan, costs):
        console.print(f"left out: {omitted}")
    if costs.of(plan) > 60 * budget.minutes:
        console.print("warning: even that is likely to take longer")
    save_json(asdict(plan), path=run.note(PLAN))
    return _follow(run, plan, wanted=wanted)


def measure_costs(run: Run, *, before: float) -> Costs:
    """Return the costs of the parts of a training, measured over some steps of each.

    Args:
        run: The training.
        before: Seconds since the start.
    """
    own, settings = examples(run, labelled(run)), run.settings
    corpus = _count_tokens(run.prepared.corpus, cut=settings.max_tokens)
    fit_speed = _measure(_fit(run, own))
    pretraining = 0.0
    if run.prepared.domain and not is_kept(run):
        tokens = _count_tokens(run.prepared.domain, cut=settings.pretrain.max_tokens)
        pretraining = tokens / _measure(_pretrain(run))
    return Costs(
        pretraining=pretraining,
        epoch=own.tokens / fit_speed,
        round_epoch=(own.tokens + corpus) / fit_speed,
        before=before,
    )


def measure_speed(run: Run) -> float:
    """Return the speed of fitting the network to the labelled rows, in tokens per second."""
    return _measure(_fit(run, examples(run, labelled(run))))


def _count_tokens(rows: Rows, *, cut: int) -> int:
    return sum(min(len(row), cut) for row in rows)


def _wanted(run: Run) -> TimePlan:
    settings, data = run.settings, run.prepared.data
    batches = math.ceil(len(data.train) / settings.fit.batch)
    return TimePlan(
        pretraining=settings.pretrain.epochs if run.prepared.domain else 0,
        epochs=settings.fit.epochs or choose_epochs(batches, tokens=run.tokens, task=data.task),
        rounds=settings.self_training,
    )


def _follow(run: Run, plan: TimePlan, *, wanted: TimePlan) -> Run:
    """Return the run with the settings of a plan; change only those that the plan cuts."""
    settings = replace(run.settings, self_training=plan.rounds, share=plan.share)
    if plan.epochs != wanted.epochs:
        settings = replace(settings, fit=replace(settings.fit, epochs=plan.epochs))
    if plan.pretraining != wanted.pretraining:
        pretrain = replace(settings.pretrain, epochs=plan.pretraining)
        settings = replace(settings, pretrain=pretrain)
    return replace(run, settings=settings)


def _measure(steps: Iterator[int]) -> float:
    """Return tokens per second of steps; each yields its number of tokens."""
    next(steps)  # the first step is slow: TensorFlow traces it
    tokens, started = 0, time.perf_counter()
    for count in steps:
        tokens += count
        if (seconds := time.perf_counter() - started) > SECONDS:
            break
    return tokens / seconds


def _fit(run: Run, own: Examples) -> Iterator[int]:
    """Fit a throwaway network without an end; yield the tokens of each step."""
    settings, task = run.settings, run.prepared.data.task
    network = build_start(run, encoder=None)
    optimizer = make_optimizer(network, settings.fit, steps=1)
    loss = make_loss(run.weights, task=task)
    step = make_step(network, optimizer, loss=loss, adversarial=settings.fit.adversarial)
    batches = LengthBatches(own, size=settings.fit.batch, seed=settings.seed)
    for epoch in itertools.count():
        for ids, targets in batches.epoch(epoch):
            step(ids, targets)
            yield np.count_nonzero(ids)


def _pretrain(run: Run) -> Iterator[int]:
    """Fit a throwaway language model without an end; yield the tokens of each batch."""
    settings = run.settings.pretrain
    pretraining = Pretraining(
        run.prepared.domain,
        vocabulary=len(run.prepared.tokenizer),
        shape=run.settings.network,
        settings=settings,
        seed=settings.seed,
    )
    for epoch in itertools.count():
        for texts, _ in pretraining.batches.epoch(epoch):
            before = pretraining.course.tokens
            pretraining.learn(texts)
            yield pretraining.course.tokens - before
