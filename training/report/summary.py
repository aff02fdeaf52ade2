"""Computes the content of a report: all figures on page, plots and terminal."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from models.decisions import DecisionRule
from models.metadata import Task
from training.calibration.metrics import is_right, log_loss
from training.report import words
from training.report.breakdown import (
    MOST_CLASSES,
    ClassFigures,
    LengthBin,
    Mistake,
    Pair,
    by_class,
    by_length,
    confusion_matrix,
    surest_mistakes,
    worst_pairs,
)
from training.report.comparison import Comparison, compare
from training.report.measures import Estimate, measure, share
from training.report.results import Results, SplitResult
from training.report.statistics import (
    CONFIDENCE,
    RESAMPLES,
    SEED,
    Reliability,
    reliability,
)
from training.report.tallies import Decisions, Tallied, tally

SUMMARY_VERSION = 1
DIGITS = 6  # significant digits of written figures

_ORDER = ("test", "validation")


class ReliabilityBin(TypedDict):
    """Decisions whose probability is from `low` to `high`.

    `confidence` is their mean probability, None where there are none.
    """

    low: float
    high: float
    rows: int
    right: int
    confidence: float | None
    share_right: Estimate


class Calibration(TypedDict):
    """The calibration of probabilities; `log_loss` is in nats."""

    expected_error: float
    log_loss: float
    bins: list[ReliabilityBin]


class Leaks(TypedDict):
    """Rows that also occur in train, and the figures without them."""

    rows: int
    share: float
    without: dict[str, Estimate] | None


class SplitSummary(TypedDict):
    """The summary of one split."""

    name: str
    rows: int
    tokens: dict[str, float]
    commonest: float | None
    figures: dict[str, Estimate]
    classes: list[ClassFigures]
    confusion: list[list[int]] | None
    confusions: list[Pair]
    calibration: Calibration
    uncalibrated: Calibration | None
    by_length: list[LengthBin]
    mistakes: list[Mistake]
    baseline: Comparison | None
    leaks: Leaks | None


class Summary(TypedDict):
    """The summary of a version, in values that JSON can hold.

    Shares and F1 are from 0 to 1. Times are in seconds unless their name says otherwise. Missing
    figures are None. `resamples` and `seed` are those of the bootstrap.
    """

    summary_version: int
    title: str
    name: str
    version: str
    cell: str
    created: str
    source: str
    task: Task
    labels: list[str]
    thresholds: list[float] | None
    confidence: float
    resamples: int
    seed: int
    splits: list[SplitSummary]
    epochs: list[dict[str, float | None]]
    best_epoch: int | None
    cost: dict[str, Any]


def summarize(results: Results) -> Summary:
    """Compute the summary: the test split first, then validation, then other splits."""
    order = sorted(results.splits, key=lambda name: _ORDER.index(name) if name in _ORDER else 2)
    summary: Summary = {
        "summary_version": SUMMARY_VERSION,
        "title": results.title,
        "name": results.name,
        "version": results.version,
        "cell": results.cell,
        "created": results.created,
        "source": results.source,
        "task": results.task,
        "labels": list(results.labels),
        "thresholds": None if results.thresholds is None else list(results.thresholds),
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "seed": SEED,
        "splits": [_summarize_split(results.splits[name], results) for name in order],
        "epochs": [dict(epoch) for epoch in results.epochs],
        "best_epoch": results.best_epoch,
        "cost": asdict(results.cost),
    }
    plain: Summary = to_plain(summary)
    return plain


def headline(summary: Summary) -> str:
    """Return the main figures of the version in words, on the first of its splits."""
    split = summary["splits"][0]
    return " ".join([_how_good(split, summary["task"]), *_reservations(split)])


def answer_times(summary: Summary) -> str:
    """Return in words the time of each engine for one text, and its length; "" if unknown."""
    cost = summary["cost"]
    times = ", ".join(
        f"{engine} {words.amount(milliseconds)}{words.SPACE}ms"
        for engine, milliseconds in cost["milliseconds_per_text"].items()
    )
    if not times or cost["timed_tokens"] is None:
        return times
    return f"{times} for a text of {words.number(cost['timed_tokens'])} tokens"


def _how_good(split: SplitSummary, task: Task) -> str:
    figures, rows = split["figures"], f"{split['rows']:,} {split['name']} rows"
    decimals = [
        f"{words.MEASURE[name]} {words.figure(found['value'], name)} "
        f"(95{words.SPACE}% {words.interval(found, name)})"
        for name, found in figures.items()
        if not name.endswith("accuracy")
    ]
    if task == "multi_label":
        exact = words.percent(figures["subset_accuracy"]["value"])
        return f"On {rows} {' and '.join(decimals)}; {exact} of the rows right in all labels."
    accuracy = figures["accuracy"]
    return (
        f"{words.percent(accuracy['value'])} of {rows} right "
        f"(95{words.SPACE}% {words.interval(accuracy, 'accuracy')}), {decimals[0]}."
    )


def _reservations(split: SplitSummary) -> list[str]:
    """Return the caveats of the figures."""
    found = []
    if split["name"] == "validation":
        found.append("There are no test rows; these chose the epoch and the calibration too.")
    if leaks := split["leaks"]:
        found.append(_leak_sentence(leaks))
    if split["baseline"]:
        found.append(split["baseline"]["verdict"])
    return found


def _leak_sentence(leaks: Leaks) -> str:
    rows = f"{leaks['rows']:,} of the rows" if leaks["rows"] > 1 else "One of the rows"
    stand = f"{rows} {'stand' if leaks['rows'] > 1 else 'stands'} among the training rows too"
    if not leaks["without"]:
        return f"{stand}, and none is left without."
    name, found = next(iter(leaks["without"].items()))
    value = words.figure(found["value"], name)
    return f"{stand}: without, {words.MEASURE[name]} is {value}."


def _summarize_split(split: SplitResult, results: Results) -> SplitSummary:
    labels = list(results.labels)
    thresholds = None if results.thresholds is None else list(results.thresholds)
    decided = results.rule.choose(split.probabilities)
    baseline = None
    if split.baseline is not None:
        baseline = DecisionRule(results.task, split.baseline_thresholds).choose(split.baseline)
    every = [decided] if baseline is None else [decided, baseline]
    tallied = tally(split.labels, every, labels=len(labels))
    matrix = None
    if results.task == "single_label":
        matrix = confusion_matrix(split.labels, decided, labels=len(labels))
    right = is_right(decided, split.labels)
    return {
        "name": split.name,
        "rows": split.rows,
        "tokens": _describe_lengths(split.lengths),
        "commonest": None if matrix is None else float(matrix.sum(axis=1).max() / split.rows),
        "figures": measure(tallied[0], task=results.task),
        "classes": by_class(tallied[0], labels=labels, thresholds=thresholds),
        "confusion": None if matrix is None or len(labels) > MOST_CLASSES else matrix.tolist(),
        "confusions": [] if matrix is None else worst_pairs(matrix, labels=labels),
        "calibration": _calibration(split.probabilities, split.labels, decided),
        "uncalibrated": None
        if split.uncalibrated is None
        else _calibration(split.uncalibrated, split.labels, decided),
        "by_length": by_length(split.lengths, right),
        "mistakes": surest_mistakes(split, decided, baseline=baseline, labels=labels),
        "baseline": _compare(split, every, tallied, task=results.task),
        "leaks": _leaks(split, decided, results),
    }


def _describe_lengths(lengths: NDArray[np.integer]) -> dict[str, float]:
    return {
        "total": int(lengths.sum()),
        "shortest": int(lengths.min()),
        "median": float(np.median(lengths)),
        "longest": int(lengths.max()),
    }


def _compare(
    split: SplitResult, decided: list[Decisions], tallied: list[Tallied], *, task: Task
) -> Comparison | None:
    if len(decided) == 1:
        return None
    network, baseline = (is_right(each, split.labels) for each in decided)
    return compare(*tallied, right=(network, baseline), task=task)


def _leaks(split: SplitResult, decided: Decisions, results: Results) -> Leaks | None:
    if split.leaked is None or not split.leaked.any():
        return None
    clean, rows = ~split.leaked, int(split.leaked.sum())
    without = None
    if clean.any():
        tallied = tally(split.labels[clean], [decided[clean]], labels=len(results.labels))
        without = measure(tallied[0], task=results.task)
    return {"rows": rows, "share": rows / split.rows, "without": without}


def _calibration(
    probabilities: NDArray[np.float32], labels: NDArray[np.int32], decided: Decisions
) -> Calibration:
    """Return the calibration of each row's given label; multi-label: of each label."""
    if labels.ndim == 1:
        found = reliability(probabilities[np.arange(len(labels)), decided], decided == labels)
    else:
        found = reliability(probabilities.ravel(), labels.ravel().astype(bool))
    return {
        "expected_error": found.error,
        "log_loss": log_loss(probabilities, labels),
        "bins": _bins(found),
    }


def _bins(found: Reliability) -> list[ReliabilityBin]:
    edges = np.linspace(0, 1, len(found.rows) + 1)
    return [
        {
            "low": edges[place],
            "high": edges[place + 1],
            "rows": rows,
            "right": right,
            "confidence": confidence,
            "share_right": share(right, rows),
        }
        for place, (rows, right, confidence) in enumerate(zip(*found, strict=True))
    ]


def to_plain(value: Any) -> Any:
    """Return `value` for JSON: NumPy numbers as Python numbers, and NaN or infinity as None."""
    match value:
        case Mapping():
            return {key: to_plain(each) for key, each in value.items()}
        case list() | tuple():
            return [to_plain(each) for each in value]
        case bool() | np.bool_():
            return bool(value)
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return value
