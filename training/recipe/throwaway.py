"""Steps of networks that are thrown away, to measure how fast this machine is."""

import itertools
from collections.abc import Iterator

import numpy as np

from training.defaults import choose_batch
from training.fitting.batches import Examples, LengthBatches
from training.fitting.fit import make_optimizer, make_step
from training.fitting.objective import make_loss
from training.network.build import build_network
from training.recipe.language_model import Pretraining
from training.recipe.learn import build_start
from training.recipe.sentences import fit_settings
from training.recipe.sentences import make_loss as make_teaching_loss
from training.recipe.teaching import Corpus
from training.run import Run


def fit_steps(run: Run, own: Examples) -> Iterator[int]:
    """Fit a throwaway network without an end; yield the tokens of each step."""
    settings, task = run.settings, run.prepared.data.task
    network = build_start(run, encoder=None)
    optimizer = make_optimizer(network, settings.fit, steps=1)
    loss = make_loss(run.weights, task=task)
    step = make_step(network, optimizer, loss=loss, adversarial=settings.fit.adversarial)
    size = settings.fit.batch or choose_batch(len(own), task=task)
    batches = LengthBatches(own, size=size, seed=settings.seed)
    for epoch in itertools.count():
        for ids, targets in batches.epoch(epoch):
            step(ids, targets)
            yield np.count_nonzero(ids)


def teach_steps(run: Run, corpus: Corpus, *, width: int) -> Iterator[int]:
    """Teach a throwaway network made-up vectors without an end; yield the tokens of each step."""
    settings = run.settings.teach
    own = fit_settings(settings)
    ids = [np.asarray(row[: settings.max_tokens], np.int32) for row in corpus.rows if row]
    vectors = np.full((len(ids), width), width**-0.5, np.float32)
    network = build_network(
        run.settings.network, vocabulary=len(corpus.tokenizer), labels=width, seed=settings.seed
    )
    step = make_step(
        network,
        make_optimizer(network, own, steps=1),
        loss=make_teaching_loss(width, judges=False),
        adversarial=0,
    )
    batches = LengthBatches(Examples(ids, vectors), size=settings.batch, seed=settings.seed)
    for epoch in itertools.count():
        for texts, targets in batches.epoch(epoch):
            step(texts, targets)
            yield np.count_nonzero(texts)


def pretrain_steps(run: Run) -> Iterator[int]:
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
