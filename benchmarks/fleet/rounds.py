"""Measures one machine in rounds: a calibration, then every load, so that both see like times."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.fleet.check import (
    KINDS_OF_LOADS,
    SHARES,
    find_capacity,
    find_costs,
    is_sound,
    lengths_of,
)
from benchmarks.fleet.facts import measure_facts
from benchmarks.fleet.machine import Machine, running
from benchmarks.fleet.measuring import measure_char, measure_engine, measure_load, measure_loops
from benchmarks.fleet.texts import Texts, load_texts
from benchmarks.serving.place import make_place
from benchmarks.serving.results import Record, Results

TRIES = 5
WORK = Path("runs/fleet/environments")


def measure_rounds(kept: Results, *, data: Path, rounds: int, model: str, console: Console) -> None:
    """Add rounds to what was measured; each is kept as soon as it is there.

    Args:
        kept: What was measured before, and will be.
        data: Folder of the datasets.
        rounds: How many.
        model: Name of the shipped model.
        console: Is told what is seen.
    """
    with make_place(model, WORK) as place, running(place) as machine:
        texts = load_texts(data, place.version.tokenizer)
        found = kept.found
        if "engine" not in found:
            found["engine"] = asdict(measure_engine(place.version, core=place.core))
            found["lengths"] = {kind: each.lengths for kind, each in texts.items()}
            found["model"] = {"name": model, "alone": machine.alone}
            measure_loops(machine, texts, seed=0)  # warms up
            found["facts"] = measure_facts(machine, texts)
            found["char"] = measure_char(texts["reviews"], place.version.tokenizer, machine=machine)
        for _ in range(rounds):
            _measure_round(kept, machine, texts, console=console)
            kept.save()


def _measure_round(
    kept: Results, machine: Machine, texts: dict[str, Texts], *, console: Console
) -> None:
    found = kept.found
    calibrations = found.setdefault("calibrations", [])
    number = len(calibrations)
    calibrations.append(_calibrate(machine, texts, seed=number, console=console))
    rates = found.get("rates") or found.setdefault("rates", _find_rates(found))
    loads = found.setdefault("loads", [])
    for kind, per_share in rates.items():
        for place, (share, rate) in enumerate(per_share.items()):
            seed = 1_000 * number + 10 * place
            real = measure_load(machine, texts[kind], rate=rate, seed=seed)
            loads.append(
                {"kind": kind, "share": float(share), "rate": rate, "seed": seed, "real": real}
            )
            percentiles = {key: round(value, 1) for key, value in real["percentiles"].items()}
            console.print(f"{kind} at {rate:.0f}/s: {real['rate']:.0f}/s, ms {percentiles}")


def _calibrate(machine: Machine, texts: dict[str, Texts], *, seed: int, console: Console) -> Record:
    """Return loops during which nothing else had the cores."""
    for _ in range(TRIES):
        loops = measure_loops(machine, texts, seed=seed)
        if all(map(is_sound, loops.values())):
            return loops
        disturbed = [name for name, each in loops.items() if not is_sound(each)]
        console.print(f"again, because something else had the cores in: {', '.join(disturbed)}")
    raise SystemExit(f"something else had the cores in each of {TRIES} calibrations")


def _find_rates(found: Record) -> dict[str, dict[str, float]]:
    """Return the rates of loads by kind and share, from the first round."""
    costs, lengths = find_costs(found), lengths_of(found)
    loops = found["calibrations"][0].values()
    slowness = float(np.percentile([slow for loop in loops for slow in loop["slowness"]], 95))
    capacities = {
        kind: find_capacity(costs, lengths[kind], slowness=slowness) for kind in KINDS_OF_LOADS
    }
    return {
        kind: {str(share): round(share * capacity) for share in SHARES}
        for kind, capacity in capacities.items()
    }
