"""What two versions say of the same texts, as counts."""

from collections.abc import Sequence

from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import Metadata
from service.rollout.evidence import BINS
from service.rollout.tally import Tally
from service.scheduling.jobs import Result


def count_comparison(
    tally: Tally,
    canary: tuple[Metadata, Sequence[Result]],
    stable: tuple[Metadata, Sequence[Result]],
) -> None:
    """Count what two versions said of the texts of one request.

    Args:
        tally: Where to count.
        canary: The version on trial, and its probabilities of each text, or what it failed with.
        stable: The stable version, and the same.
    """
    (one, ones), (other, others) = canary, stable
    failed = any(isinstance(each, Exception) for each in ones)
    stable_failed = any(isinstance(each, Exception) for each in others)
    if failed and not stable_failed:
        tally.add("canary_failed")
    if stable_failed and not failed:
        tally.add("stable_failed")
    pairs = [
        (p, q)
        for p, q in zip(ones, others, strict=True)
        if not isinstance(p, Exception) and not isinstance(q, Exception)
    ]
    if pairs:
        flipped = sum(given_labels(one, p) != given_labels(other, q) for p, q in pairs)
        tally.add("votes")
        tally.add("flips", flipped / len(pairs))
        tally.add("texts", len(pairs))
        tally.add("texts_flipped", flipped)
    label = other.labels[-1] if len(other.labels) == 2 else None
    for p, q in pairs:
        tally.add("canary_scores", bin=_bin(score(one, p, label=label)))
        tally.add("stable_scores", bin=_bin(score(other, q, label=label)))
    tally.add("requests")  # last, so whoever waits for it sees the rest


def given_labels(metadata: Metadata, probabilities: Probabilities) -> frozenset[str]:
    """Return the names of the labels that a version gives a text with these probabilities."""
    verdict = DecisionRule.of(metadata).verdict(probabilities)
    if metadata.task == "single_label":
        return frozenset([metadata.labels[verdict[0]]])
    return frozenset(name for name, given in zip(metadata.labels, verdict, strict=True) if given)


def score(metadata: Metadata, probabilities: Probabilities, *, label: str | None) -> float:
    """Return the probability of a label, or the highest of all where it is not given or unknown."""
    if label in metadata.labels:
        return float(probabilities[metadata.labels.index(label)])
    return float(probabilities.max())


def _bin(score: float) -> int:
    return min(int(score * BINS), BINS - 1)
