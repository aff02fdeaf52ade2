"""Early exit: readings that end once the label will not change any more."""

import functools

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.decisions import DecisionRule
from models.early_exit import Watch, risk_of
from models.golden import Probabilities
from models.metadata import Stopping
from service.answering.classifier import Classifier
from service.errors import Invalid, NoRule
from service.scheduling.jobs import Reading


def find_rule(classifier: Classifier, stop_at: float) -> tuple[Stopping, str]:
    """Return the rule of a version by which reading may end, and the name of a certainty in it.

    Raises:
        NoRule: The version has none.
        Invalid: It has none for this certainty.
    """
    stopping = classifier.metadata.stopping
    if stopping is None:
        raise NoRule(classifier.reference)
    for name in stopping.limits:
        if float(name) == stop_at:
            return stopping, name
    there_are = ", ".join(stopping.limits)
    raise Invalid(f"there is no rule for {stop_at:g}; there are: {there_are}", field="stop_at")


def read_until(classifier: Classifier, ids: Row, *, rule: tuple[Stopping, str]) -> Reading:
    """Return a reading of a text that ends where the rule says that its label will not change."""
    stopping, certainty = rule
    watch, limit = Watch(DecisionRule.of(classifier.metadata)), stopping.limits[certainty]

    @functools.cache  # and so looked up in the thread that computes, not in the event loop
    def coming() -> NDArray[np.float64] | None:
        ngrams = classifier.ngram_lookup if stopping.ahead else None
        return None if ngrams is None else ngrams.coming(ids, every=stopping.every)

    def enough(probabilities: Probabilities, left: int) -> bool:
        read = len(ids) - left
        changes = coming()
        change = None if changes is None else changes[read // stopping.every - 1]
        features = watch.look(probabilities, read=read, left=left, coming=change)
        return bool(risk_of(features, stopping) <= limit)

    return Reading(ids, stops=range(stopping.every, len(ids), stopping.every), until=enough)
