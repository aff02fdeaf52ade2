"""The rule: whether a version on trial is rolled back, promoted, or watched on.

Three questions are asked, after every comparison if need be (`sequential.py`). The texts of one
request are not independent of each other, so a request has one vote on each question:

- Flips: the share of its texts whose labels differ. Bound: what both versions' errors explain.
- Errors: 1 if only the version on trial failed, 0 if only the stable one did. Bound: 1/2.
- Slowness: 1 if the version on trial took more than so many times as long. Bound: 1/2.

A version is rolled back as soon as the mean of a question is known to be above its bound. Each
question has a third of ALPHA. So of the versions that keep to all bounds, at most ALPHA are rolled
back by chance, in however long a time. A version is promoted once all means are known to be below
their bounds, each at level BETA. For errors that is: it alone fails fewer than MOST_ERRORS of the
requests.
"""

import math
from dataclasses import dataclass
from typing import Literal

from models.metadata import Metadata
from service.rollout.evidence import Evidence
from service.rollout.sequential import log_evidence_above, log_evidence_below

ALPHA = 0.05  # of the versions that keep to all bounds; so many are rolled back all the same
BETA = 0.05  # of the versions that do not keep to one; so many are promoted all the same
MOST_ERRORS = 0.01  # of the requests
MOST_FLIPS = 0.5  # however many errors the versions make
SPREAD = (
    1.96  # standard errors, by which the error on all texts may be above the one that is stated
)

Decision = Literal["roll_back", "promote", "wait"]


@dataclass(frozen=True)
class Judgement:
    """What the evidence says.

    Args:
        decision: What is to be done.
        why: The reason, in words.
    """

    decision: Decision
    why: str


def judge(evidence: Evidence, *, tolerated: float, slower: float) -> Judgement:
    """Return what the evidence of a trial says.

    Args:
        evidence: The counts.
        tolerated: Share of flipped labels that is no reason to roll back.
        slower: Times as slow as stable from which on a request was counted as slower.
    """
    flips = _describe_flips(evidence, tolerated=tolerated)
    questions = _ask(evidence, flips=flips, tolerated=tolerated, slower=slower)
    reasons = [each.reason for each in questions if each.bad.is_above(ALPHA / len(questions))]
    if reasons:
        return Judgement("roll_back", "; ".join(reasons))
    if unsure := [each.name for each in questions if not each.good.is_below(BETA)]:
        return Judgement("wait", f"too little is known about {', '.join(unsure)}")
    return Judgement("promote", f"{flips}; it is neither slower nor fails more")


@dataclass(frozen=True)
class _Mean:
    """Votes of 0 to 1 whose mean is compared with a bound."""

    votes: float
    total: float
    bound: float

    def is_above(self, level: float) -> bool:
        evidence = log_evidence_above(self.votes, self.total, bound=self.bound)
        return evidence >= -math.log(level)

    def is_below(self, level: float) -> bool:
        evidence = log_evidence_below(self.votes, self.total, bound=self.bound)
        return evidence >= -math.log(level)


@dataclass(frozen=True)
class _Question:
    """A question about a version.

    Args:
        name: What it is about.
        reason: Why the version is rolled back, if it is for this.
        bad: Must not be above its bound, or the version is rolled back.
        good: Must be below its bound before the version is promoted.
    """

    name: str
    reason: str
    bad: _Mean
    good: _Mean


def _ask(
    found: Evidence, *, flips: str, tolerated: float, slower: float
) -> tuple[_Question, _Question, _Question]:
    flipped = _Mean(found.votes, found.flips, tolerated)
    failed, either = found.canary_failed, found.canary_failed + found.stable_failed
    slow = _Mean(found.timed, found.slower, 0.5)
    return (
        _Question("flips", flips, flipped, flipped),
        _Question(
            "errors",
            f"of {either:.0f} requests that only one version failed, it failed {failed:.0f}",
            _Mean(either, failed, 0.5),
            _Mean(found.requests, failed, MOST_ERRORS),
        ),
        _Question(
            "slowness",
            f"it took more than {slower:g} times as long in {found.slower:.0f} of "
            f"{found.timed:.0f} requests",
            slow,
            slow,
        ),
    )


def _describe_flips(evidence: Evidence, *, tolerated: float) -> str:
    share = evidence.flip_share or 0.0
    return (
        f"it flips {share:.1%} of the labels in {evidence.votes:.0f} requests, "
        f"where {tolerated:.1%} are tolerated"
    )


def tolerated_flips(canary: Metadata, stable: Metadata) -> float:
    """Return the share of labels that two versions may flip and be as good as they are said to be.

    On a text where their labels differ, one of them is wrong. So they flip no more than both errors
    together.
    """
    return min(MOST_FLIPS, largest_error(canary) + largest_error(stable))


def largest_error(metadata: Metadata) -> float:
    """Return the share of wrong texts that the figures of a version allow for.

    It is the upper end of the 95 % interval around the error on its test rows, or on its validation
    rows where it has no others (Wilson, "Probable inference", 1927). Without figures, or with one
    that is no accuracy, it is MOST_FLIPS.
    """
    figures = metadata.metrics.get("test") or metadata.metrics.get("validation") or {}
    error, rows = 1 - figures.get("accuracy", -1.0), max(1.0, figures.get("rows", 1.0))
    if not 0 <= error <= 1:  # metadata may come from a stranger
        return MOST_FLIPS
    square = SPREAD**2 / rows
    middle = error + square / 2
    reach = math.sqrt(square * (error * (1 - error) + square / 4))
    return (middle + reach) / (1 + square)
