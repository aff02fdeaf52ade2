"""Tells a wrong export from rounding: judges probabilities by a reference in double precision.

A fixed distance cannot tell them apart. On 77 labels with sharp logits single precision alone moved
right probabilities by 1.5e-5, while a wrong row of the embedding may move small ones by less. So
each text has a bound of its own: FACTOR times the rounding error that `reference.py` expects of its
logits, carried over to the probabilities. If all logits are off by at most d,

    softmax:  |log p' - log p| <= 2 d,   so  |p' - p| <= p (exp(2 d) - 1)
    sigmoid:                                 |p' - p| <= p (1 - p) (exp(d) - 1)

Beyond its bound a difference may still be harmless: it is then reported and the version published.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from models.golden import TOLERANCE, Probabilities
from training.errors import ExportError
from training.export.reference import UNIT, ReferenceAnswers

FACTOR = 16.0  # errors of an engine's own order and functions, as a multiple of the expected one
OWN = 16 * UNIT  # error of a softmax (relative) or a sigmoid (absolute) in single precision
SMALLEST = 1e-37  # about the smallest number of single precision
LARGEST_ERROR = 50.0  # of a logit; any probability is then possible
HARMLESS_LOGIT = 2e-4  # changes odds by as little
HARMLESS = TOLERANCE / 2  # of a probability; a service that loads the version accepts twice that


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The worst difference of some answers from the reference.

    Args:
        what: Whose answers.
        distance: Difference of the probability that is farthest beyond its bound; of a harmful one
            if there is any.
        share: That difference as a multiple of its bound; infinite for no number.
        harmless: Whether no difference matters, whatever its reason.
    """

    what: str
    distance: float
    share: float
    harmless: bool

    def __str__(self) -> str:
        return (
            f"{self.what} differs from the trained network by {self.distance:.2g} in a "
            f"probability, {self.share:.2g} times what rounding explains"
        )


def require_agreement(
    answers: Mapping[str, Probabilities], reference: ReferenceAnswers
) -> list[Difference]:
    """Return the worst difference of each engine.

    Raises:
        ExportError: A difference is neither rounding nor harmless.
    """
    found = [compare(what, probabilities, reference) for what, probabilities in answers.items()]
    worst = max(found, key=lambda difference: (not difference.harmless, difference.share))
    if not worst.harmless:
        raise ExportError(
            f"the export is wrong: {worst}; nothing is published. This is a fault of Gatewise or "
            "of a library: install other versions, then give the same command and --resume"
        )
    return found


def compare(what: str, found: Probabilities, reference: ReferenceAnswers) -> Difference:
    """Return the worst difference of probabilities (rows, labels) from the reference."""
    expected = _probabilities(reference)
    distances = np.abs(found - expected)
    distances[~np.isfinite(distances)] = np.inf
    shares = distances / _bound(expected, FACTOR * reference.rounding, reference)
    limits = np.minimum(HARMLESS, _bound(expected, HARMLESS_LOGIT, reference))
    harmful = (shares > 1) & (distances > limits)
    candidates = np.where(harmful, shares, 0) if harmful.any() else shares
    worst = np.unravel_index(candidates.argmax(), shares.shape)
    return Difference(
        what=what,
        distance=float(distances[worst]),
        share=float(shares[worst]),
        harmless=not harmful.any(),
    )


def find_steady(
    answers: Mapping[str, Probabilities], reference: ReferenceAnswers
) -> NDArray[np.bool_]:
    """Return the rows that every engine answers well within what golden predictions allow.

    Rounding moves the others so far that a service on another machine might refuse the version.
    """
    expected = _probabilities(reference)
    distances = [np.abs(found - expected).max(axis=1) for found in answers.values()]
    return np.max(distances, axis=0) <= HARMLESS / 2


def pick_unequal(one: Probabilities, other: Probabilities) -> NDArray[np.int64]:
    """Return the rows of two engines' answers, those with the most unequal odds first."""
    unequal = np.abs(one - other) / (np.minimum(one, 1 - one) + OWN)
    return np.argsort(-np.nan_to_num(unequal, nan=np.inf).max(axis=1), kind="stable")


def _probabilities(reference: ReferenceAnswers) -> NDArray[np.float64]:
    logits = reference.logits
    return softmax(logits, axis=1) if reference.task == "single_label" else expit(logits)


def _bound(
    expected: NDArray[np.float64],
    error: NDArray[np.float64] | float,
    reference: ReferenceAnswers,
) -> NDArray[np.float64]:
    """Return how far probabilities may move if logits are off by `error`, one for each row."""
    each = np.minimum(np.broadcast_to(error, len(expected))[:, None], LARGEST_ERROR)
    if reference.task == "single_label":
        return expected * np.expm1(2 * each + OWN) + SMALLEST
    return expected * (1 - expected) * np.expm1(each) + OWN
