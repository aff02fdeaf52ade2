"""Summarizes the results: a line for each entry with its accuracy and its costs."""

from dataclasses import dataclass

from benchmarks.alternatives.lineup import LINEUP, Alternative, Entry, Ours
from benchmarks.serving.report import median
from benchmarks.serving.results import Record
from training.report.statistics import Interval, wilson


@dataclass(frozen=True)
class Line:
    """The figures of an entry; those of a server are medians of its runs.

    Args:
        entry: The entry.
        settings: Its settings, with those chosen on validation rows.
        accuracy: Share of right answers on test rows.
        interval: Its 95 % interval.
        milliseconds: Processor time of a text, with many connections.
        rate: Answers per second, with many connections.
        p50, p99: Milliseconds of an answer, with one connection.
        megabytes: Memory at most.
        ready: Seconds until it was ready.
        runs: Number of runs.
    """

    entry: Entry
    settings: str
    accuracy: float
    interval: Interval
    milliseconds: float
    rate: float
    p50: float
    p99: float
    megabytes: float
    ready: float
    runs: int

    @property
    def is_ours(self) -> bool:
        """Whether it is Gatewise."""
        return isinstance(self.entry, Ours)


def summarize(found: Record) -> list[Line]:
    """Return the lines of all entries that were judged and measured."""
    lines = []
    for entry in LINEUP:
        accuracy = found.get("accuracy", {}).get(entry.texts, {}).get(entry.name)
        runs = found.get("runs", {}).get(entry.texts, {}).get(entry.name)
        if accuracy and runs:
            lines.append(_summarize(entry, accuracy, runs))
    return lines


def _summarize(entry: Entry, accuracy: Record, runs: list[Record]) -> Line:
    return Line(
        entry=entry,
        settings=_describe(entry, accuracy),
        accuracy=accuracy["right"] / accuracy["rows"],
        interval=wilson(accuracy["right"], accuracy["rows"]),
        milliseconds=1e3 / median(runs, "together", "per_cpu_second"),
        rate=median(runs, "together", "rate"),
        p50=median(runs, "alone", "p50", 0),
        p99=median(runs, "alone", "p99", 0),
        megabytes=median(runs, "megabytes"),
        ready=median(runs, "ready"),
        runs=len(runs),
    )


def _describe(entry: Entry, accuracy: Record) -> str:
    chosen = accuracy["settings"] if isinstance(entry, Alternative) else ""
    return f"{entry.settings}, {chosen}" if chosen else entry.settings
