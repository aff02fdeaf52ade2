"""Compares the network with the linear baseline: difference and significance."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from models.metadata import Task
from training.report import words
from training.report.measures import MEASURES, SHARES, Estimate, measure
from training.report.statistics import (
    RESAMPLES,
    bootstrap_p,
    mcnemar,
    paired_difference,
    percentiles,
)
from training.report.tallies import Tallied

SIGNIFICANT = 0.05  # a smaller p counts as a difference


class Difference(TypedDict):
    """The lead of the network; negative where the baseline is better.

    `p` is two-sided. `at_most` marks the smallest p that the bootstrap samples can show.
    """

    value: float
    low: float
    high: float
    p: float
    at_most: bool
    test: str


class Comparison(TypedDict):
    """Figures of the linear baseline, and the network's lead over it by measure."""

    figures: dict[str, Estimate]
    differences: dict[str, Difference]
    better: str | None
    verdict: str


def compare(
    network: Tallied,
    baseline: Tallied,
    *,
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    task: Task,
) -> Comparison:
    """Return the comparison on the same rows.

    Args:
        network: Counts of the network.
        baseline: Counts of the baseline, in the same bootstrap samples.
        right: Whether each row is right, for the network and for the baseline; each (rows,).
        task: Decides the measures.
    """
    differences = {
        name: _by_rows(*right) if name in SHARES else _by_bootstrap(network, baseline, name)
        for name in MEASURES[task]
    }
    return {
        "figures": measure(baseline, task=task),
        "differences": differences,
        "better": _better(differences[MEASURES[task][0]]),
        "verdict": _verdict(differences, rows=network.sample.rows),
    }


def _by_rows(network: NDArray[np.bool_], baseline: NDArray[np.bool_]) -> Difference:
    ours, theirs = int(np.sum(network & ~baseline)), int(np.sum(baseline & ~network))
    interval = paired_difference(ours, theirs, len(network))
    return {
        "value": (ours - theirs) / len(network),
        "low": interval.low,
        "high": interval.high,
        "p": mcnemar(ours, theirs),
        "at_most": False,
        "test": "exact McNemar",
    }


def _by_bootstrap(network: Tallied, baseline: Tallied, name: str) -> Difference:
    draws = getattr(network.resampled, name) - getattr(baseline.resampled, name)
    interval, p = percentiles(draws), bootstrap_p(draws)
    return {
        "value": float(getattr(network.sample, name) - getattr(baseline.sample, name)),
        "low": interval.low,
        "high": interval.high,
        "p": p,
        "at_most": p <= 2 / (RESAMPLES + 1),
        "test": "paired bootstrap",
    }


def _better(difference: Difference) -> str | None:
    if not difference["p"] < SIGNIFICANT:
        return None
    return "network" if difference["value"] > 0 else "baseline"


def _verdict(differences: dict[str, Difference], *, rows: int) -> str:
    """Return in words the winner by the first measure, and each measure that contradicts it."""
    (first, decisive), *others = differences.items()
    sentences = [_lead_sentence(first, decisive, rows=rows)]
    for name, difference in others:
        if _better(difference) not in (None, _better(decisive)):
            sentences.append(_remark(name, difference))
    return " ".join(sentences)


def _lead_sentence(name: str, difference: Difference, *, rows: int) -> str:
    evidence = words.evidence(difference, name)
    match _better(difference):
        case "network":
            lead = words.lead(difference["value"], name)
            return f"The network is better than the linear baseline by {lead} ({evidence})."
        case "baseline":
            lead = words.lead(difference["value"], name)
            return (
                f"The linear baseline is better by {lead} ({evidence}): "
                "use that, or train the network on more rows or for more epochs."
            )
    lead = words.lead(difference["value"], name, signed=True)
    return (
        f"Between the network and the linear baseline there is no difference that "
        f"these {rows:,} rows could show ({lead}, {evidence})."
    )


def _remark(name: str, difference: Difference) -> str:
    who = {"network": "network", "baseline": "linear baseline"}[str(_better(difference))]
    lead = words.lead(difference["value"], name)
    return f"The {who}, however, is better by {lead} ({words.evidence(difference, name)})."
