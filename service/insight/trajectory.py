"""The verdict after each sentence, and the sentences where it turns."""

from collections.abc import Sequence
from itertools import pairwise

from models.golden import Probabilities
from service.answering.classifier import Classifier
from service.answering.prediction import Answer, Prediction, Stand, Turn
from service.insight.sentences import Spans


def describe_trajectory(
    classifier: Classifier, spans: Spans, seen: Sequence[Probabilities], *, top_k: int | None
) -> list[Stand]:
    """Return the verdict after each sentence.

    Args:
        classifier: The classifier that answered.
        spans: Characters of each sentence.
        seen: Probabilities after each sentence.
        top_k: Number of probabilities to return; None for all.
    """
    stands = []
    for (start, end), probabilities in zip(spans, seen, strict=True):
        found = classifier.predict(probabilities, tokens=0, top_k=top_k)
        labels = _labels(found)
        stands.append(Stand(start=start, end=end, labels=labels, probabilities=found.probabilities))
    return stands


def find_turns(stands: Sequence[Stand]) -> list[Turn]:
    """Return the sentences that change the labels."""
    return [
        Turn(start=after.start, end=after.end, before=before.labels, after=after.labels)
        for before, after in pairwise(stands)
        if set(before.labels) != set(after.labels)
    ]


def _labels(found: Answer) -> list[str]:
    return [found.label] if isinstance(found, Prediction) else found.labels
