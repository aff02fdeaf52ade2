"""What is known of a trial: counts, which can be added up over processes."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

BINS = 10  # of a score, from 0 to 1, all of the same width
SMOOTHING = 0.5  # added to each bin, so that the shift is finite where one is empty


@dataclass(frozen=True)
class Evidence:
    """Counts of a trial since its labels were given. Seconds and votes may be fractions.

    Args:
        requests: Requests of which both versions have read texts.
        canary_failed: Of them those where only the version on trial failed.
        stable_failed: Those where only the stable one did.
        votes: Requests with a text that both have answered.
        flips: Sum over these of the share of their texts whose labels differ.
        texts: Texts that both have answered.
        texts_flipped: Of them those whose labels differ.
        timed: Requests that both have computed one after the other, with the same priority.
        slower: Of them those where the version on trial was slower than is tolerated.
        canary_model_seconds: What it computed for in them.
        stable_model_seconds: What the stable one did.
        canary_answers: Requests that it has answered.
        canary_answer_seconds: Their seconds, from the first token to the answer.
        stable_answers: Requests that the stable one has answered meanwhile.
        stable_answer_seconds: Their seconds.
        dropped: Requests that were not compared for want of time.
        canary_scores: Texts by the score that the version on trial gave, BINS of them.
        stable_scores: Texts by the score that the stable one gave.
    """

    requests: float = 0.0
    canary_failed: float = 0.0
    stable_failed: float = 0.0
    votes: float = 0.0
    flips: float = 0.0
    texts: float = 0.0
    texts_flipped: float = 0.0
    timed: float = 0.0
    slower: float = 0.0
    canary_model_seconds: float = 0.0
    stable_model_seconds: float = 0.0
    canary_answers: float = 0.0
    canary_answer_seconds: float = 0.0
    stable_answers: float = 0.0
    stable_answer_seconds: float = 0.0
    dropped: float = 0.0
    canary_scores: tuple[float, ...] = (0.0,) * BINS
    stable_scores: tuple[float, ...] = (0.0,) * BINS

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """Return the evidence that an array of SIZE values holds; `PLACES` says where."""
        found = values.tolist()
        fields: dict[str, Any] = {
            name: tuple(found[place : place + BINS]) if name in SCORES else found[place]
            for name, place in PLACES.items()
        }
        return cls(**fields)

    @property
    def flip_share(self) -> float | None:
        """Share of flipped labels, each request counted once; None before the first."""
        return self.flips / self.votes if self.votes else None

    @property
    def score_shift(self) -> float | None:
        """Population stability index of the scores; None before the first.

        The sum over bins of (a - b) ln(a / b) with shares a and b. A rule of thumb says little
        below 0.1, and much above 0.25.
        """
        if not self.texts:
            return None
        counts = np.array([self.canary_scores, self.stable_scores]) + SMOOTHING
        one, other = counts / counts.sum(axis=1, keepdims=True)
        return float(np.sum((one - other) * np.log(one / other)))

    @property
    def times_as_long(self) -> float | None:
        """Times as long as the stable version that the other computes; None before the first."""
        if not self.stable_model_seconds:
            return None
        return self.canary_model_seconds / self.stable_model_seconds

    def figures(self) -> dict[str, float]:
        """Return what a verdict rests on, by name; what is not known is left out."""
        found = {
            "requests": self.requests,
            "flip_share": self.flip_share,
            "texts": self.texts,
            "texts_flipped": self.texts_flipped,
            "score_shift": self.score_shift,
            "canary_failed": self.canary_failed,
            "stable_failed": self.stable_failed,
            "timed": self.timed,
            "slower": self.slower,
            "times_as_long": self.times_as_long,
            "dropped": self.dropped,
        }
        return {name: round(value, 4) for name, value in found.items() if value is not None}


SCORES = ("canary_scores", "stable_scores")
_NAMES = [field.name for field in fields(Evidence)]
_WIDTHS = [BINS if name in SCORES else 1 for name in _NAMES]
PLACES = {name: sum(_WIDTHS[:place]) for place, name in enumerate(_NAMES)}
"""Where each count begins in an array."""
SIZE = sum(_WIDTHS)
"""Values of an array."""
