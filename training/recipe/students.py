"""Trains the same classifier without its teacher, and with part of it, to compare."""

from collections.abc import Mapping
from dataclasses import replace

from training.console import console
from training.recipe.classifier import TrainedClassifier
from training.recipe.learn import learn
from training.run import Run, start_repeatably

SHARES = (0.0, 0.25, 0.5)
"""Parts of the teacher's texts; the version itself has all of them."""


def learn_with_less(run: Run) -> Mapping[float, TrainedClassifier]:
    """Return a classifier for each share of the teacher's texts, 0 for none of them.

    All else is as in the run: rows, vocabulary, start and settings.

    Raises:
        TrainingError: A fit failed.
        Interrupted: A signal asked for the end; complete fits are kept.
    """
    found = {}
    for share in SHARES if run.settings.teacher_curve else ():
        told = f"{share:.0%} of the teacher's texts" if share else "no teacher"
        console.print(f"to compare: a training with {told}")
        less = replace(run, teacher_share=share)
        if not share:
            less = replace(run, prepared=replace(run.prepared, taught=None))
        start_repeatably(run.settings.seed)
        found[share] = learn(less, stage=f"teacher-{round(100 * share)}").classifier
    return found
