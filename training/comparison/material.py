"""The shared inputs of all contestants: the rows, their targets, and the linear models."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from training.calibration.probabilities import Logits
from training.calibration.scaling import Calibrated
from training.comparison.interruption import find_neutral
from training.console import console
from training.linear.baseline import Baseline, fit_baseline
from training.linear.ngrams import NgramModel
from training.prepare import Rows
from training.recipe.learn import Lesson, choose_ngrams, lesson_of
from training.run import Run
from training.targets import Targets

WORTH_CUTTING = 0.05  # share of the texts that must be longer than a cut
CUTS = (64, 128, 256, 512)  # tokens that are read, beside all
MOST_JUDGED = 10_000  # test rows; intervals are then about 1 point wide


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows that contestants are judged by.

    Args:
        ids: Ids of each row.
        labels: Targets of the rows.
        ngrams: Logits (rows, labels) of the n-grams.
        ngrams_alone: Decisions of the n-grams without a network.
        baseline: Decisions of the linear baseline.
    """

    ids: Rows
    labels: Targets
    ngrams: Logits
    ngrams_alone: Targets
    baseline: Targets

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row."""
        return np.fromiter(map(len, self.ids), np.int64, len(self.ids))

    @cached_property
    def order(self) -> np.ndarray:
        """The rows in a random order, so that the first ones stand for all; files are sorted."""
        return np.random.default_rng(0).permutation(len(self.ids))

    @property
    def drawn(self) -> Rows:
        """The ids in that order."""
        return [self.ids[row] for row in self.order]


@dataclass(frozen=True, eq=False)
class Material:
    """The shared inputs of all contestants.

    Args:
        run: The data and the common settings.
        lesson: Rows of train.
        ngrams: N-grams fitted to them.
        baseline: Linear baseline fitted to them.
        judged: Judged rows by purpose: validation, which decides, and test if there is one.
        neutral: Tokens that say nothing about any label.
    """

    run: Run
    lesson: Lesson
    ngrams: NgramModel
    baseline: Baseline
    judged: dict[str, Judged]
    neutral: np.ndarray

    @property
    def cuts(self) -> list[int]:
        """Lengths in tokens to cut texts to, as a test of the rest's worth."""
        long = np.quantile(self.judged["validation"].lengths, 1 - WORTH_CUTTING)
        return [cut for cut in CUTS if cut < long]

    @classmethod
    def of(cls, run: Run) -> Self:
        """Fit the linear models and draw the rows."""
        data, lesson = run.prepared.data, lesson_of(run)
        with console.status("fitting the linear baseline"):
            baseline = fit_baseline(data, score=run.score, seed=run.settings.seed)
        ngrams = choose_ngrams(run, lesson)
        drawn = {"validation": np.flatnonzero(run.honest)}
        if data.test is not None:
            order = np.random.default_rng(run.settings.seed).permutation(len(data.test))
            drawn["test"] = np.sort(order[:MOST_JUDGED])
        alone = run.calibrate([ngrams.logits(run.judges.ids)])
        judged = {
            purpose: _judge_by(run, purpose, rows, ngrams, alone, baseline)
            for purpose, rows in drawn.items()
        }
        neutral = find_neutral(lesson.rows, lesson.given, vocabulary=len(run.prepared.tokenizer))
        return cls(run, lesson, ngrams, baseline, judged, neutral)


def _judge_by(
    run: Run,
    purpose: str,
    rows: np.ndarray,
    ngrams: NgramModel,
    alone: Calibrated,
    baseline: Baseline,
) -> Judged:
    ids = run.prepared.ids[purpose]
    chosen = [ids[row] for row in rows]
    logits = ngrams.logits(chosen)
    probabilities = alone.scaling.probabilities([logits], task=run.prepared.data.task)
    return Judged(
        ids=chosen,
        labels=run.prepared.data.splits[purpose].labels[rows],
        ngrams=logits,
        ngrams_alone=alone.rule.choose(probabilities),
        baseline=baseline.rule.choose(baseline.probabilities[purpose][rows]),
    )
