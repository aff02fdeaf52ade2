"""Readings that end once enough has been read."""

from models.batching import Row
from models.golden import Probabilities
from models.metadata import Stopping
from models.stopping import Watch, risk_of
from service.classifier import Classifier
from service.errors import Invalid, NoRule
from service.work import Reading


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
    watch, limit = Watch(classifier.metadata.thresholds), stopping.limits[certainty]

    def enough(probabilities: Probabilities, left: int) -> bool:
        features = watch.look(probabilities, read=len(ids) - left, left=left)
        return bool(risk_of(features, stopping) <= limit)

    return Reading(ids, stops=range(stopping.every, len(ids), stopping.every), until=enough)
