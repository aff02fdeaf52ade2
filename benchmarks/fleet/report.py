"""Writes docs/scale.md, between its markers."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.fleet.check import Compared
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.day import Lived
from benchmarks.fleet.limits import list_limits
from benchmarks.fleet.sizing import Sized
from benchmarks.fleet.traffic import Lengths
from benchmarks.pages import replace_block, table
from benchmarks.serving.results import Record

COMMAND = "python -m benchmarks.fleet write"
PAGE = "scale.md"
TOLERANCE = 0.2
SHOWN_LIMITS = 5

# Processor time of a text with MiniLM over that with Gatewise, by docs/benchmarks.md, "What else
# runs on a CPU": fine-tuned, on sentences; frozen and cut at 256 tokens, on reviews.
TRANSFORMER = {"sentences": 8.87 / 0.71, "reviews": 77.50 / 4.42}


def write_page(docs: Path, blocks: dict[str, str]) -> None:
    """Replace blocks of the page by their names."""
    page = docs / PAGE
    text = page.read_text()
    for name, block in blocks.items():
        text = replace_block(text, name, block, command=COMMAND)
    page.write_text(text)


def describe_measured(costs: Costs, lengths: dict[str, Lengths], facts: Record) -> str:
    """Return the table of what was measured."""
    texts = ", ".join(
        f"{kind}: {_quantile(each, 50)} ({_quantile(each, 99)})" for kind, each in lengths.items()
    )
    traffic = ", ".join(
        f"{kind}: {each['asked']:,.0f} and {each['answered']:,.0f}"
        for kind, each in facts["bytes"].items()
    )
    engine = costs.engine
    among_eight = engine.step / 8 + engine.text
    rows = [
        ["a request: HTTP, middleware, routing, answer", f"{_us(costs.request)} µs"],
        ["a character: JSON, and text to ids; of a long text, in a thread",
         f"{costs.char * 1e9:,.0f} and {costs.thread_char * 1e9:,.0f} ns"],
        ["a turn of the event loop that has anything to do", f"{_us(costs.turn)} µs"],
        ["what turns and slices take besides after 10 ms without work",
         f"{_us(costs.cold)} and {_us(costs.cold_slice)} µs"],
        ["the core awakes from that, which nothing spends", f"{_us(costs.waking)} µs"],
        ["a request that a thread computes: to it and back", f"{_us(costs.handover)} µs"],
        ["a slice, each text of one that is read in part, each interruption of one",
         f"{_us(costs.slice)}, {_us(costs.piece)} and {_us(costs.resume)} µs"],
        ["a call of the engine", f"{_us(engine.call)} µs"],
        ["a token of one text alone, and of one among eight",
         f"{engine.seconds_per_token * 1e6:.1f} and {among_eight * 1e6:.1f} µs"],
        ["on the way, which no core spends", f"{_us(costs.wire)} µs"],
        ["power of the core's slowness that the event loop, and threads, follow",
         f"{costs.loop_power:.1f} and {costs.thread_power:.1f}"],
        ["tokens of a text, p50 (p99)", texts],
        ["bytes of a request and its answer", traffic],
        ["start of a process, until it is ready", f"{facts['ready_seconds']:.1f} s"],
        ["a new version in the store, until its first answer", f"{facts['reload_seconds']:.1f} s"],
        [f"memory of a process; of a service of {facts['workers']} workers",
         f"{facts['megabytes']:,.0f} MB; {facts['megabytes_of_workers']:,.0f} MB"],
        ["series in `/metrics`", f"{facts['series']:,}"],
        ["log of a request", f"{facts['log_bytes_a_request']:,.0f} bytes"],
    ]  # fmt: skip
    return table(["of one core, at its usual speed", "measured"], rows)


def describe_check(compared: Sequence[Compared]) -> str:
    """Return the table of loads beside their predictions."""
    rows = [
        [
            each.kind,
            f"{each.share:.0%}",
            f"{each.rate:,.0f}",
            _beside(each, "rate", digits=0),
            _beside(each, "p50", digits=1),
            _beside(each, "p99", digits=1),
            f"{each.accounted['p99']:,.1f} ({each.accounted_error('p99'):+.0%})",
            f"{each.spread[0]:,.1f} to {each.spread[1]:,.1f}",
        ]
        for each in compared
    ]
    columns = ["texts", "of the capacity", "come, /s", "answered, /s", "p50, ms", "p99, ms"]
    within = {
        figure: sum(abs(each.error(figure)) <= TOLERANCE for each in compared)
        for figure in ("rate", "p50", "p99")
    }
    repeated = sum(abs(each.noise()) <= TOLERANCE for each in compared)
    count = len(compared)
    rounds = min(each.rounds for each in compared)
    verdict = (
        f"Figures are medians of {rounds} rounds, real, then predicted. Of {count} loads the "
        f"prediction is within {TOLERANCE:.0%} in {within['rate']} for the throughput, in "
        f"{within['p50']} for the p50 and in {within['p99']} for the p99. Every other round "
        f"predicts the p99 of the rounds between within {TOLERANCE:.0%} in {repeated}."
    )
    columns += ["p99 by the processor time of the load", "real p99 of the rounds"]
    return f"{verdict}\n\n{table(columns, rows)}"


def describe_fleets(fleets: Sequence[Sized], facts: Record) -> str:
    """Return the table of fleets."""
    columns = (
        *("texts a day", "of", "peak, /s", "machines", "cores", "busy at most", "memory, GB"),
        *("network, Mbit/s", "p50, p99 at the peak, ms", "€ a month", "€ a million texts"),
        "the same with MiniLM, € a month",
    )
    return table(columns, [_fleet(sized, facts) for sized in fleets])


def _fleet(sized: Sized, facts: Record) -> list[str]:
    wanted = sized.wanted
    traffic = facts["bytes"][wanted.kind]
    bits = 8 * sized.peak * (traffic["asked"] + traffic["answered"])
    factor = TRANSFORMER.get(wanted.kind)
    return [
        f"{wanted.texts_a_day:,.0f}",
        wanted.kind,
        f"{sized.peak:,.0f}",
        f"{sized.busy_machines} + {sized.machines - sized.busy_machines}",
        f"{sized.cores:,}",
        f"{sized.load:.0%}",
        f"{memory_megabytes(sized, facts) / 1e3:,.1f}",
        f"{bits / 1e6:,.1f}",
        f"{sized.p50:.1f}, {sized.p99:.0f}",
        f"{sized.euros_a_month:,.0f}",
        f"{sized.euros_a_million:,.2f}",
        f"{_euros_at(sized, factor):,.0f}" if factor else "",
    ]


def _euros_at(sized: Sized, factor: float) -> float:
    """Return the euros a month of a fleet whose texts take so many times the processor time."""
    taken = sized.peak * sized.core_seconds * factor
    busy = math.ceil(taken / (sized.load * sized.wanted.cores_a_machine))
    machines = busy + sized.machines - sized.busy_machines
    return sized.euros_a_month * machines / sized.machines


def memory_megabytes(sized: Sized, facts: Record) -> float:
    """Return the megabytes of all machines, by the memory of a worker and of what is beside it."""
    workers = facts["workers"]
    each = (facts["megabytes_of_workers"] - facts["megabytes"]) / (workers - 1)
    beside = facts["megabytes_of_workers"] - workers * each
    return float(sized.machines * (beside + sized.wanted.cores_a_machine * each))


def describe_day(lived: Lived, sized: Sized) -> str:
    """Return what a day of the smallest fleet is like."""
    return (
        f"A day of {lived.requests:,} {sized.wanted.kind} on {sized.machines} machines of one "
        f"core was simulated whole: the wave, bursts, each machine failing once a day on "
        f"average, and a rolling update at noon ({lived.updated} machines replaced). "
        f"{lived.unanswered:,} requests got no answer. {lived.retries:,} were sent again to "
        f"another machine. p50 was {lived.p50:.1f} ms, p99 {lived.p99:.1f} ms, and "
        f"{lived.worst_p99:.1f} ms in the worst hour. The longest answer took "
        f"{lived.longest / 1e3:.2f} s."
    )


def describe_limits(fleets: Sequence[Sized], facts: Record) -> str:
    """Return the tables of what breaks first in each fleet."""
    parts = []
    for sized in fleets:
        rows = [
            [
                limit.part,
                f"{limit.load:,.4g} {limit.unit}".strip(),
                f"{limit.stands:,.4g} {limit.unit}".strip(),
                f"{limit.share:.1%}",
                limit.mend if limit.share > 0.5 else "",
            ]
            for limit in list_limits(sized, facts)[:SHOWN_LIMITS]
        ]
        title = f"{sized.wanted.texts_a_day:,.0f} {sized.wanted.kind} a day:"
        columns = ["part", "asked of it at the peak", "one stands", "share", "what it takes"]
        parts.append(f"{title}\n\n{table(columns, rows)}")
    return "\n\n".join(parts)


def _beside(each: Compared, figure: str, *, digits: int) -> str:
    real, predicted = each.real[figure], each.predicted[figure]
    return f"{real:,.{digits}f}, {predicted:,.{digits}f} ({each.error(figure):+.0%})"


def _quantile(lengths: Lengths, percentile: float) -> str:
    return f"{np.percentile([tokens for tokens, _ in lengths], percentile):,.0f}"


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f}"
