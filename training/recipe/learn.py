"""Fits the two halves of a classifier and joins them, from labelled texts and unlabelled ones.

Texts without labels serve twice. The network starts from a language model that was learned from
them. In self-training, the first classifier labels them, and a second one learns from these labels
beside the labelled rows (Scudder, 1965; with soft labels, Hinton et al., "Distilling the Knowledge
in a Neural Network", 2015).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.decisions import DecisionRule
from models.golden import Probabilities
from training.calibration.probabilities import doubt, temper
from training.calibration.scaling import cross_entropy, weigh
from training.console import console
from training.fitting.batches import Examples
from training.fitting.course import Fitted
from training.fitting.fit import fit
from training.fitting.objective import Objective, make_judge, make_loss
from training.fitting.observer import Deadline
from training.linear.ngrams import NgramModel, fit_ngrams
from training.network.build import build_network, round_embedding, tabulate
from training.recipe.classifier import TrainedClassifier, halves
from training.recipe.encoder_cache import find_encoder
from training.recipe.language_model import Encoder
from training.recipe.verdicts import read_verdicts
from training.recipe.warm_start import Start, read_start, start_of
from training.run import Run
from training.targets import soften

NGRAM_STRENGTHS = (0.1, 1.0)
MOST_REPEATS = 3  # of the rows of train beside a teacher's texts; more were not tried
TEMPERATURE = 2.0  # softens the teacher's probabilities; those near 1 still differ then


@dataclass(frozen=True)
class Learned:
    """A classifier and how its network was fitted."""

    classifier: TrainedClassifier
    fitted: Fitted

    def record(self) -> dict[str, float]:
        """Return the figures for the metadata."""
        names = ("network_weight", "ngram_weight")
        return self.fitted.record() | dict(
            zip(names, self.classifier.scaling.weights, strict=False)
        )


@dataclass(frozen=True)
class Lesson:
    """Texts to learn from.

    Args:
        rows: Ids of each text.
        degrees: The degree to which each text has each label, shape (rows, labels).
        given: The same as yes or no, for a learner that takes no degrees.
    """

    rows: Sequence[Row]
    degrees: NDArray[np.float32]
    given: NDArray[np.bool_]


def learn(run: Run, *, stage: str = "network") -> Learned:
    """Return the classifier that data and settings lead to.

    Args:
        run: The training.
        stage: Name of the checkpoint of its fit.

    Raises:
        TrainingError: A fit failed.
        Interrupted: A signal asked for the end.
    """
    encoder = find_encoder(run) if run.pretrains or run.encoder is not None else None
    learned = _learn(run, lesson_of(run), encoder, stage=stage)
    for number in range(1, run.settings.self_training + 1):
        if Deadline(run.fit_until).is_time_up():
            console.print("note: the time is up; the rest of self-training is left out")
            break
        console.print(
            f"self-training, round {number}: labelling {len(run.prepared.corpus):,} texts"
        )
        lesson = _add_corpus(run, learned.classifier)
        learned = _learn(run, lesson, encoder, stage=f"round-{number}")
    return learned


def lesson_of(run: Run) -> Lesson:
    """Return the rows of train, and the texts that a teacher has labelled.

    The rows of train are repeated until they weigh as much as the teacher's texts, MOST_REPEATS
    times at most: they are right, and they are of the kind that the classifier will be asked.
    """
    own = _labelled(run)
    if run.prepared.taught is None:
        return own
    found = read_verdicts(run, run.prepared.taught)
    times = min(MOST_REPEATS, max(1, round(len(found.rows) / len(own.rows))))
    return Lesson(
        [*(list(own.rows) * times), *found.rows],
        np.concatenate([*(own.degrees,) * times, found.probabilities]),
        np.concatenate([*(own.given,) * times, _decide(found.probabilities, rule=found.rule)]),
    )


def _labelled(run: Run) -> Lesson:
    """Return the rows of train."""
    data = run.prepared.data
    degrees = soften(data.train.labels, labels=len(data.labels))
    return Lesson(run.prepared.ids["train"], degrees, degrees == 1)


def _decide(probabilities: Probabilities, *, rule: DecisionRule) -> NDArray[np.bool_]:
    """Return which labels to learn, shape (rows, labels): the likeliest, or those of multi-label.

    What makes rare labels more frequent in answers would do so in what is learned.
    """
    verdict = (rule if rule.task == "multi_label" else DecisionRule(rule.task)).choose(
        probabilities
    )
    decided: NDArray[np.bool_] = soften(verdict, labels=probabilities.shape[1]) == 1
    return decided


def examples(run: Run, lesson: Lesson) -> Examples:
    """Return the examples that the network sees: a share of the texts, each cut."""
    count, settings = len(lesson.rows), run.settings
    random = np.random.default_rng(settings.seed)
    seen = np.sort(random.permutation(count)[: math.ceil(settings.share * count)])
    ids = [np.array(lesson.rows[row][: settings.max_tokens], np.int32) for row in seen]
    return Examples(ids, lesson.degrees[seen])


def build_start(run: Run, *, encoder: Encoder | None) -> keras.Model:
    """Return a network before its fit, with the weights of what it starts from."""
    network = _build(run, spelled=run.spells)
    if run.vectors is not None:
        network.get_layer("embedding").set_weights([run.vectors.table])
    if encoder is not None:
        encoder.give_to(network)
    elif (start := _find_start(run)) is not None:
        prepared = run.prepared
        start.give_to(network, tokenizer=prepared.tokenizer, labels=prepared.data.labels)
    return network


def _find_start(run: Run) -> Start | None:
    """Return the known network that a run starts from."""
    if run.start is not None:
        return read_start(run.start)
    return start_of(run.pretrained) if run.pretrained is not None else None


def _build(run: Run, *, spelled: bool) -> keras.Model:
    tokenizer = run.prepared.tokenizer
    return build_network(
        run.settings.network,
        vocabulary=len(tokenizer),
        labels=len(run.prepared.data.labels),
        seed=run.settings.seed,
        spelled=tokenizer.tokens if spelled else None,
    )


def _add_corpus(run: Run, teacher: TrainedClassifier) -> Lesson:
    """Return the labelled rows and the corpus with the teacher's labels."""
    own, corpus = _labelled(run), run.prepared.corpus
    probabilities = teacher.probabilities([row[: run.settings.max_tokens] for row in corpus])
    given = _decide(probabilities, rule=teacher.rule)
    degrees = temper(probabilities, temperature=TEMPERATURE, task=teacher.task)
    return Lesson(
        [*own.rows, *corpus],
        np.concatenate([doubt(own.degrees, like=degrees, task=teacher.task), degrees]),
        np.concatenate([own.given, given]),
    )


def _learn(run: Run, lesson: Lesson, encoder: Encoder | None, *, stage: str) -> Learned:
    ngrams = choose_ngrams(run, lesson) if run.settings.ngrams else None
    fitted = fit_network(run, lesson, ngrams, encoder, stage=stage)
    return Learned(_join(run, fitted, ngrams), fitted)


def choose_ngrams(run: Run, lesson: Lesson) -> NgramModel:
    """Return the n-grams of the strength with the least validation loss."""
    data = run.prepared.data
    with console.status("fitting the n-grams"):
        fitted = fit_ngrams(
            lesson.rows,
            lesson.given,
            exclusive=data.task == "single_label",
            strengths=NGRAM_STRENGTHS,
            seed=run.settings.seed,
            balance=run.weights,
        )
        return min(fitted, key=lambda ngrams: _find_loss(run, ngrams))


def _find_loss(run: Run, ngrams: NgramModel) -> float:
    """Return the validation cross-entropy of the n-grams alone, weighed as in a classifier."""
    task, labels = run.prepared.data.task, run.judges.labels
    logits = [ngrams.logits(run.judges.ids)]
    scaling = weigh(logits, labels, task=task, biased=run.biased)
    return cross_entropy(scaling.add(logits), labels, task=task)


def fit_network(
    run: Run, lesson: Lesson, ngrams: NgramModel | None, encoder: Encoder | None, *, stage: str
) -> Fitted:
    """Return the fitted network, the best beside the n-grams if there are any.

    Raises:
        TrainingError: The loss is no longer a number.
        Interrupted: A signal asked for the end.
    """
    settings, data = run.settings, run.prepared.data
    network = build_start(run, encoder=encoder)
    judges = run.judges
    judge = make_judge(
        judges.labels,
        task=data.task,
        score=run.score,
        ngram_logits=ngrams.logits(judges.ids) if ngrams is not None else None,
        biased=run.biased,
    )
    fitted = fit(
        network,
        examples(run, lesson),
        judges.ids,
        objective=Objective(data.task, make_loss(run.weights, task=data.task), judge),
        settings=settings.fit,
        seed=settings.seed,
        checkpoint=run.checkpoint(stage),
        observers=[*run.observers(stage), Deadline(run.fit_until)],
    )
    course = fitted.course
    if course.ended:
        console.print(
            f"note: the time is up; the fit ended in epoch {course.epoch} of {fitted.planned}"
        )
    console.print(
        f"fitted: best of {course.epoch} epochs was {course.best_epoch}; {course.seconds:.0f} s, "
        f"{fitted.tokens_per_second:,.0f} tokens/s, {fitted.padding:.1%} padding"
    )
    served = network
    if run.spells:
        served = _build(run, spelled=False)
        tabulate(network, into=served)
    round_embedding(served)  # first: all figures are then those of the served network
    return replace(fitted, network=served)


def _join(run: Run, fitted: Fitted, ngrams: NgramModel | None) -> TrainedClassifier:
    """Return both halves with the weights that are best on validation."""
    found = run.calibrate(halves(fitted.network, ngrams, run.judges.ids))
    if run.prepared.data.task == "single_label" and found.rule.thresholds is not None:
        console.print(
            "note: rare labels are given more readily than they are likely, for a better macro-F1 "
            "(see Rare labels in docs/training.md)"
        )
    return TrainedClassifier(
        shape=run.settings.network,
        network=fitted.network,
        ngrams=ngrams,
        scaling=found.scaling,
        rule=found.rule,
    )
