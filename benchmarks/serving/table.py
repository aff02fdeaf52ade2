"""The table of the serving benchmark, in Markdown."""

import statistics
from typing import Any

COLUMNS = (
    "server",
    "reviews/s",
    "reviews per CPU second",
    "sentences/s",
    "sentences per CPU second",
    "mix: p99 of sentences, ms",
    "mix: p99 of long texts, ms",
    "mix: answered",
    "ready after, s",
    "memory, MB",
)


def make_table(found: dict[str, Any]) -> str:
    """Return the medians of all runs, one server a line."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for name, runs in found.items():
        if isinstance(runs, list) and runs:
            lines.append(f"| {name} | {' | '.join(_cells(runs))} |")
    rate = found.get("rate", 0.0)
    return "\n".join([*lines, "", f"The mix came at {rate:,.0f} requests/s."])


def _cells(runs: list[dict[str, Any]]) -> list[str]:
    def median(*path: str | int) -> float:
        values = []
        for run in runs:
            value: Any = run
            for step in path:
                value = value[step]
            values.append(value)
        return statistics.median(values)

    return [
        f"{median('reviews', 'rate'):,.0f}",
        f"{median('reviews', 'per_cpu_second'):,.0f}",
        f"{median('sentences', 'rate'):,.0f}",
        f"{median('sentences', 'per_cpu_second'):,.0f}",
        f"{median('mix', 'p99', 0):,.1f}",
        f"{median('mix', 'p99', 1):,.0f}",
        f"{1 - median('mix', 'failed'):.1%}",
        f"{median('ready'):.1f}",
        f"{median('megabytes'):,.0f}",
    ]
