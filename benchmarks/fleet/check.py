"""Predicts the open loads of a real machine, and compares.

Every load is predicted from one calibration, with the times and texts of its requests and the speed
of its core. Nothing is fitted to a load.
"""

import statistics
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.fleet.calibration import calibrate
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.loops import USUAL
from benchmarks.fleet.measuring import LOAD_SECONDS, MOST_ASKED, draw_texts, plan_load
from benchmarks.fleet.simulate import Outcomes, simulate_closed, simulate_open
from benchmarks.fleet.traffic import Lengths
from benchmarks.serving.results import Record
from service.engines.cost import Cost

SCALINGS = 2
# Where more was so, something else had the cores:
LATE = 1.0  # milliseconds by which 1 % of requests left after they were due
STOLEN = 0.02  # of the time that the host gave to other machines; 0.001 is usual
SHARES = (0.25, 0.5, 0.75)
KINDS_OF_LOADS = ("sentences", "reviews", "mix")
FIGURES = ("rate", "p50", "p99")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One kind of texts at one load: medians of all rounds.

    Args:
        kind: Of the texts.
        share: Of the capacity.
        rate: Requests that come a second.
        real: Answers a second, and p50 and p99 in milliseconds.
        predicted: The same.
        accounted: The same, with costs scaled to the processor time that the load took.
        spread: Least and most of the real p99.
        halves: Real p99 of every other round, from the first and from the second on.
        rounds: How often it was measured.
    """

    kind: str
    share: float
    rate: float
    real: dict[str, float]
    predicted: dict[str, float]
    accounted: dict[str, float]
    spread: tuple[float, float]
    halves: tuple[float, float]
    rounds: int

    def error(self, figure: str) -> float:
        """Return by which part of the real figure the predicted one is off."""
        return self.predicted[figure] / self.real[figure] - 1

    def accounted_error(self, figure: str) -> float:
        """Return the same of what is predicted with the processor time of the load."""
        return self.accounted[figure] / self.real[figure] - 1

    def noise(self) -> float:
        """Return by which part the real p99 of half of the rounds is off that of the others."""
        first, second = self.halves
        return second / first - 1

    def record(self) -> Record:
        """Return all as values of JSON."""
        return asdict(self)


def find_costs(found: Record) -> Costs:
    """Return the costs by all rounds of what was measured."""
    engine = Cost(**found["engine"])
    sound = [each for each in found["calibrations"] if all(map(is_sound, each.values()))]
    return calibrate(sound, lengths_of(found), engine=engine, char=found["char"])


def is_sound(seen: Record) -> bool:
    """Return whether nothing else had the cores, so that a load is worth a look."""
    return bool(seen["late_p99"] < LATE and seen["stolen"] < STOLEN * seen["seconds"])


def lengths_of(found: Record) -> dict[str, Lengths]:
    """Return the lengths of the texts of each kind."""
    return {
        kind: [(tokens, chars) for tokens, chars in lengths]
        for kind, lengths in found["lengths"].items()
    }


def find_capacity(costs: Costs, lengths: Lengths, *, slowness: float) -> float:
    """Return the requests a second that a process answers without letting many wait."""
    order = draw_texts(len(lengths), count=MOST_ASKED, seed=0)
    seconds = 3.0
    seen = simulate_closed(
        costs, lengths, order=order, connections=USUAL, seconds=seconds, slowness=(slowness,)
    )
    return float(np.sum(seen.statuses == 200)) / seconds


def compare(found: Record, costs: Costs) -> list[Compared]:
    """Return each load beside its prediction."""
    lengths = lengths_of(found)
    groups: dict[tuple[str, float], list[Record]] = {}
    for load in filter(lambda load: is_sound(load["real"]), found["loads"]):
        groups.setdefault((load["kind"], load["share"]), []).append(load)
    compared = []
    for (kind, share), loads in groups.items():
        real = [_figures(load["real"]) for load in loads]
        predicted = [predict(load, costs, lengths[kind]) for load in loads]
        accounted = [
            predict(load, scale_to_account(load, costs, lengths[kind]), lengths[kind])
            for load in loads
        ]
        compared.append(
            Compared(
                kind=kind,
                share=share,
                rate=loads[0]["rate"],
                real=_medians(real),
                predicted=_medians(predicted),
                accounted=_medians(accounted),
                spread=(min(each["p99"] for each in real), max(each["p99"] for each in real)),
                halves=_halves([each["p99"] for each in real]),
                rounds=len(loads),
            )
        )
    return compared


def predict(load: Record, costs: Costs, lengths: Lengths) -> dict[str, float]:
    """Return the figures of one load as the simulation has them."""
    seen = _simulate(load, costs, lengths)
    good = seen.statuses == 200
    p50, p99 = np.percentile(seen.seconds[good] * 1e3, [50, 99])
    ended = float(np.nanmax(seen.due + seen.seconds))
    return {"rate": float(good.sum()) / ended, "p50": float(p50), "p99": float(p99)}


def scale_to_account(load: Record, costs: Costs, lengths: Lengths) -> Costs:
    """Return the costs with which a simulated load takes the processor time of the real one."""
    real = sum(load["real"]["cpu"].values())
    scaled = costs
    for _ in range(SCALINGS):  # the more it costs, the more texts are read together
        used = _simulate(load, scaled, lengths).used
        scaled = scaled.scale(real / used.seconds)
    return scaled


def _simulate(load: Record, costs: Costs, lengths: Lengths) -> Outcomes:
    due, order = plan_load(len(lengths), rate=load["rate"], seconds=LOAD_SECONDS, seed=load["seed"])
    return simulate_open(
        costs,
        lengths,
        due=due,
        order=order,
        slowness=load["real"]["slowness"],
        seed=load["seed"],
    )


def _figures(real: Record) -> dict[str, float]:
    percentiles = real["percentiles"]
    return {"rate": real["rate"], "p50": percentiles["50.0"], "p99": percentiles["99.0"]}


def _medians(figures: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(each[key] for each in figures) for key in FIGURES}


def _halves(values: list[float]) -> tuple[float, float]:
    """Return the medians of every other value; twice the same of a single one."""
    return statistics.median(values[::2]), statistics.median(values[1::2] or values)
