"""Fits the two halves of a classifier and joins them, from labelled texts and unlabelled ones.

Texts without labels are used twice: a language model learned from them is where the network starts
from, and what the first classifier thinks of them is what a second one learns from beside the
labelled rows (self-training: Scudder, 1965; with soft labels, Hinton et al., "Distilling the
Knowledge in a Neural Network", 2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from training.batches import Examples
from training.calibrate import calibrate, cross_entropy, weigh
from training.classifier import Classifier
from training.console import console
from training.decide import Logits, soften
from training.encoders import find_encoder
from training.export import round_embedding
from training.fit import Fitted, fit
from training.network import build_network, predict_logits
from training.ngrams import NgramModel, fit_ngrams
from training.objective import Objective, make_judge, make_loss
from training.pretrain import Encoder
from training.run import Run

NGRAM_STRENGTHS = (0.1, 1.0)


@dataclass(frozen=True)
class Learned:
    """A classifier and how its network was fitted."""

    classifier: Classifier
    fitted: Fitted

    def record(self) -> dict[str, float]:
        """Return the figures for the metadata."""
        names = ("network_weight", "ngram_weight")
        return self.fitted.record() | dict(zip(names, self.classifier.weights, strict=False))


@dataclass(frozen=True)
class Lesson:
    """Texts to learn from: ids of each, and the degree to which it has each label."""

    rows: Sequence[Row]
    targets: NDArray[np.float32]


def learn(run: Run) -> Learned:
    """Return the classifier that the data and the settings lead to.

    Raises:
        TrainingError: A fit failed.
        Interrupted: Somebody asked to stop.
    """
    encoder = find_encoder(run) if run.prepared.domain else None
    learned = _learn(run, labelled(run), encoder, stage="network")
    for number in range(1, run.settings.self_training + 1):
        console.print(
            f"self-training, round {number}: labelling {len(run.prepared.corpus):,} texts"
        )
        lesson = _add_corpus(run, learned.classifier)
        learned = _learn(run, lesson, encoder, stage=f"round-{number}")
    return learned


def halves(network: keras.Model, ngrams: NgramModel | None, rows: Sequence[Row]) -> list[Logits]:
    """Return the logits (rows, labels) of the network and, if there are any, of the n-grams."""
    logits = predict_logits(network, rows)
    return [logits] if ngrams is None else [logits, ngrams.logits(rows)]


def labelled(run: Run) -> Lesson:
    """Return the labelled rows of train."""
    data = run.prepared.data
    return Lesson(run.prepared.ids["train"], soften(data.train.labels, labels=len(data.labels)))


def _add_corpus(run: Run, teacher: Classifier) -> Lesson:
    """Return the labelled rows and the corpus with the teacher's opinion of it."""
    own, corpus = labelled(run), run.prepared.corpus
    opinion = teacher.probabilities([row[: run.settings.max_tokens] for row in corpus])
    return Lesson([*own.rows, *corpus], np.concatenate([own.targets, opinion]))


def _learn(run: Run, lesson: Lesson, encoder: Encoder | None, *, stage: str) -> Learned:
    ngrams = choose_ngrams(run, lesson) if run.settings.ngrams else None
    fitted = fit_network(run, lesson, ngrams, encoder, stage=stage)
    return Learned(_join(run, fitted, ngrams), fitted)


def choose_ngrams(run: Run, lesson: Lesson) -> NgramModel:
    """Return the n-grams of the strength at which validation is likeliest."""
    data = run.prepared.data
    found: dict[float, NgramModel] = {}
    for strength in NGRAM_STRENGTHS:
        with console.status(f"fitting the n-grams, strength {strength:g}"):
            ngrams = fit_ngrams(
                lesson.rows,
                lesson.targets,
                exclusive=data.task == "single_label",
                strength=strength,
                seed=run.settings.seed,
                balance=run.weights,
            )
            logits = ngrams.logits(run.judges.ids)
            (weight,) = weigh([logits], run.judges.labels, task=data.task)
            found[cross_entropy(weight * logits, run.judges.labels, task=data.task)] = ngrams
    return found[min(found)]


def fit_network(
    run: Run, lesson: Lesson, ngrams: NgramModel | None, encoder: Encoder | None, *, stage: str
) -> Fitted:
    """Return the network, the best beside the n-grams if there are any, and how it came about.

    Raises:
        TrainingError: The loss is no longer a number.
        Interrupted: Somebody asked to stop.
    """
    prepared, settings, data = run.prepared, run.settings, run.prepared.data
    network = build_network(
        settings.network,
        vocabulary=len(prepared.tokenizer),
        labels=len(data.labels),
        seed=settings.seed,
    )
    if encoder is not None:
        encoder.give_to(network)
    judges = run.judges
    judge = make_judge(
        judges.labels,
        task=data.task,
        score=run.score,
        ngram_logits=ngrams.logits(judges.ids) if ngrams is not None else None,
    )
    fitted = fit(
        network,
        _examples(lesson, cut=settings.max_tokens),
        judges.ids,
        objective=Objective(data.task, make_loss(run.weights, task=data.task), judge),
        settings=settings.fit,
        seed=settings.seed,
        checkpoint=run.checkpoint(stage),
        curves=run.curves(stage),
    )
    course = fitted.course
    console.print(
        f"fitted: best of {course.epoch} epochs was {course.best_epoch}; {course.seconds:.0f} s, "
        f"{fitted.tokens_per_second:,.0f} tokens/s, {fitted.padding:.1%} padding"
    )
    round_embedding(network)  # before anything is measured, so that it is what will be served
    return fitted


def _examples(lesson: Lesson, *, cut: int) -> Examples:
    return Examples([np.array(row[:cut], np.int32) for row in lesson.rows], lesson.targets)


def _join(run: Run, fitted: Fitted, ngrams: NgramModel | None) -> Classifier:
    """Return both halves as they weigh best on validation."""
    task = run.prepared.data.task
    logits = halves(fitted.network, ngrams, run.judges.ids)
    found = calibrate(logits, run.judges.labels, task=task)
    return Classifier(
        shape=run.settings.network,
        network=fitted.network,
        ngrams=ngrams,
        task=task,
        weights=found.weights,
        thresholds=found.thresholds,
    )
