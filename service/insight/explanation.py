"""The contribution of each token of a text to its verdict."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.decisions import DecisionRule, log_odds
from models.golden import Probabilities
from models.tokenizer import Offsets
from service.answering.classifier import Classifier
from service.answering.prediction import Contribution, Explanation, Method
from service.scheduling.jobs import Reading

MEANINGS: dict[Method, str] = {
    "prefix": (
        "The contribution of a token is by how much the log-odds of the predicted label change "
        "when it is read after all before it, so the contributions add up to the log-odds of the "
        "text less those of the empty text. It does not say what the verdict would be without the "
        "token: a word that only makes sense of later ones gets nothing, and they get its share."
    ),
    "occlusion": (
        "The contribution of a token is by how much the log-odds of the predicted label fall when "
        "the text is read without it. The contributions do not add up to anything, and of two "
        "words that say the same each alone may seem to matter little."
    ),
}


def readings_for(method: Method, ids: NDArray[np.int32]) -> list[Reading]:
    """Return the readings beside a text: the empty text, or the text without each token."""
    if method == "prefix":
        return [Reading([])]
    return [Reading(np.delete(ids, place)) for place in range(len(ids))]


def explain_by_prefix(
    classifier: Classifier, offsets: Offsets, seen: Sequence[Probabilities]
) -> Explanation:
    """Return the change of the log-odds with each token.

    Args:
        classifier: The classifier that answered.
        offsets: Characters of each token.
        seen: Probabilities of the empty text, then after each token.
    """
    rows = np.stack(seen)
    label = DecisionRule.of(classifier.metadata).foremost(rows[-1])
    odds = log_odds(rows, label, task=classifier.metadata.task)
    gains = [after - before for before, after in pairwise(odds.tolist())]
    return _explanation("prefix", classifier, label, odds[-1], offsets, gains, empty=odds[0])


def explain_by_occlusion(
    classifier: Classifier, offsets: Offsets, read: Sequence[Probabilities]
) -> Explanation:
    """Return the fall of the log-odds without each token.

    Args:
        classifier: The classifier that answered.
        offsets: Characters of each token.
        read: Probabilities of the text, then of the text without each token.
    """
    rows = np.stack(read)
    label = DecisionRule.of(classifier.metadata).foremost(rows[0])
    odds = log_odds(rows, label, task=classifier.metadata.task)
    falls = (odds[0] - odds[1:]).tolist()
    return _explanation("occlusion", classifier, label, odds[0], offsets, falls)


def _explanation(
    method: Method,
    classifier: Classifier,
    label: int,
    odds: float,
    offsets: Offsets,
    contributions: Sequence[float],
    *,
    empty: float | None = None,
) -> Explanation:
    return Explanation(
        method=method,
        label=classifier.metadata.labels[label],
        log_odds=odds,
        log_odds_of_nothing=empty,
        tokens=[
            Contribution(start=start, end=end, contribution=value)
            for (start, end), value in zip(offsets, contributions, strict=True)
        ],
    )
