"""Writes the results into docs/benchmarks.md, between its markers, and draws the plots."""

import math
import statistics
from pathlib import Path
from typing import Any

from benchmarks.pages import Row, replace_block, table
from benchmarks.serving.lineup import LINEUP
from benchmarks.serving.plots import plot_mix, plot_throughput
from benchmarks.serving.results import Record
from benchmarks.serving.soak import CONNECTIONS
from service.scheduling.slices import COMPANY

PLOTS = Path("plots")
COMMAND = "make bench"

Runs = list[Record]


def write_report(found: Record, docs: Path) -> None:
    """Replace the parts of benchmarks.md for which there are figures.

    Args:
        found: The results, as the benchmark keeps them.
        docs: Folder of benchmarks.md; plots go into a folder in it.
    """
    (docs / PLOTS).mkdir(exist_ok=True)
    page = docs / "benchmarks.md"
    text = page.read_text()
    if "comparison" in found:
        comparison = found["comparison"]
        servers = {name: runs for name, runs in comparison["servers"].items() if runs}
        plot_throughput(servers, docs / PLOTS / "throughput.svg")
        plot_mix(servers, comparison["capacity"], docs / PLOTS / "mix.svg")
        text = replace_block(
            text, "comparison", _describe_comparison(comparison, servers), command=COMMAND
        )
    for name, describe in DESCRIBED.items():
        if name in found:
            text = replace_block(text, name, describe(found[name]), command=COMMAND)
    page.write_text(text)


def median(runs: Runs, *path: str | int) -> float:
    """Return the median over runs of the figure at a path."""
    values = []
    for run in runs:
        value: Any = run
        for step in path:
            value = value[step]
        values.append(value)
    return statistics.median(values)


def _describe_comparison(comparison: Record, servers: dict[str, Runs]) -> str:
    fewest = min(map(len, servers.values()))
    parts = [
        "![Texts answered per second of processor time](plots/throughput.svg)",
        f"Figures are medians of {fewest} runs in turn.",
        table(THROUGHPUT, [_throughput(name, runs) for name, runs in servers.items()]),
        "![Latency of sentences beside long texts](plots/mix.svg)",
        f"Mixed traffic comes at shares of {comparison['capacity']:,.0f} requests/s, the rate that "
        "Gatewise answers in a closed loop. p50 and p99 are those of answered requests, in ms:",
        table(MIX, [row for name, runs in servers.items() for row in _mix(name, runs)]),
        "These settings are the best ones found:",
        "\n".join(f"- {server.name}: {server.settings}" for server in LINEUP),
    ]
    return "\n\n".join(parts)


THROUGHPUT = (
    "server",
    "reviews/s",
    "p50, p99, ms",
    "CPU s per 1,000",
    "sentences/s",
    "p50, p99, ms",
    "CPU s per 1,000",
    "reviews in time at twice the capacity, /s",
    "ready after, s",
    "memory, MB",
)


def _throughput(name: str, runs: Runs) -> Row:
    cells = [name]
    for traffic in ("reviews", "sentences"):
        p50, p99 = (median(runs, traffic, key, 0) for key in ("p50", "p99"))
        cells += [
            f"{median(runs, traffic, 'rate'):,.0f}",
            f"{p50:,.0f}, {p99:,.0f}",
            f"{1e3 / median(runs, traffic, 'per_cpu_second'):.2f}",
        ]
    good, ready, megabytes = (median(runs, key) for key in ("good", "ready", "megabytes"))
    return [*cells, f"{good:,.0f}", f"{ready:.1f}", f"{megabytes:,.0f}"]


MIX = ("server", "share", "sentences: p50, p99", "2,000 tokens: p50, p99", "answered")


def _mix(name: str, runs: Runs) -> list[Row]:
    rows = []
    for share in sorted(runs[0]["mix"], key=float):
        short, long = (
            ", ".join(_time(median(runs, "mix", share, key, kind)) for key in ("p50", "p99"))
            for kind in (0, 1)
        )
        answered = 1 - median(runs, "mix", share, "failed")
        rows.append([name, f"{float(share):.0%}", short, long, f"{answered:.1%}"])
    return rows


def _time(milliseconds: float) -> str:
    """Write a time; there is none where nothing was answered."""
    return f"{milliseconds:,.0f}" if math.isfinite(milliseconds) else "–"


def _describe_overload(found: Record) -> str:
    return "\n\n".join(_describe_burst(name, burst) for name, burst in found.items())


def _describe_burst(name: str, found: Record) -> str:
    burst, memory, capacity = found["burst"], found["megabytes"], found["capacity"]
    refused, accepted, first = burst["refused"], burst["accepted"], found["recovery"][0]
    return (
        f"Requests ({name}) came at {burst['came']:,.0f} a second for {found['seconds']:.0f} s, "
        f"and a closed loop had {capacity:,.0f}. {burst['good']:,.0f} a second were answered "
        f"within the deadline of 2 s. That is {burst['good'] / capacity:.0%} of the capacity (p50 "
        f"{accepted['p50']:,.0f} ms, p99 {accepted['p99']:,.0f} ms). {refused['count']:,} were "
        f"rejected, {burst['without_retry_after']} of them without a `Retry-After`. Rejections "
        f"took {refused['p99']:.0f} ms at p99 and {refused['most']:.0f} ms at most. Other "
        f"outcomes: {burst['others']}. Memory was {memory['before']:.0f} MB before and "
        f"{memory['peak']:.0f} MB at most. p99 was {first['p99']:.0f} ms in the half second after "
        f"the burst, and {found['calm']['p99']:.0f} ms before it."
    )


def _describe_steps(found: Record) -> str:
    columns = [f"{name}, {each['tokens']:.0f} tokens" for name, each in found.items()]
    traffics = [_steps_of(each) for each in found.values()]
    rows = [[step, *(f"{steps[step]:.3f}" for steps in traffics)] for step in traffics[0]]
    multiples = (
        f"{name.capitalize()} take {of['whole']['alone'] / of['limit']['alone']:.1f} times the "
        f"first limit alone, and {of['whole']['together'] / of['limit']['together']:.1f} times the "
        "second together."
        for name, of in found.items()
    )
    return table(["ms of processor time", *columns], rows) + "\n\n" + " ".join(multiples)


def _steps_of(found: Record) -> dict[str, float]:
    """Return the lines of the table for one kind of traffic: milliseconds by step."""
    whole, bare, limit = found["whole"], found["bare"], found["limit"]
    rest = whole["alone"] - bare["alone"] - sum(found["steps"].values())
    return {
        "HTTP and event loop, as bare uvicorn": bare["alone"],
        **found["steps"],
        "middleware, metrics, to the computing thread and back": rest,
        "**all of it**, one connection": whole["alone"],
        "limit: the weights read once for a text": limit["alone"],
        "**all of it**, 32 connections": whole["together"],
        "bare uvicorn, 32 connections": bare["together"],
        f"limit: the weights read once for {COMPANY} texts": limit["together"],
    }


def _describe_soak(found: Record) -> str:
    memory = found["megabytes"]
    return (
        f"The mix had {found['requests']:,} requests, over {CONNECTIONS} connections at a time. "
        f"{found['failed']:,} failed. Resident memory was {memory[0]:.0f} MB after the first "
        f"minute, {memory[-1]:.0f} MB at the end and {max(memory):.0f} MB at most."
    )


DESCRIBED = {
    "overload": _describe_overload,
    "steps": _describe_steps,
    "soak": _describe_soak,
}
