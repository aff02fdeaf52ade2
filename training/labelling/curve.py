"""Measures how scores grow with labelled rows, and says what more rows are likely to bring."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training.console import console, hushed
from training.errors import Diverged, TrainingError
from training.labelling.points import Decided, Draw, choose_sizes, find_point
from training.labelling.power_law import Forecast, extrapolate
from training.report import words
from training.report.scores import Lead, Score, Scored, error_of, lead, make_score, score
from training.run import Run

POINTS = "points"  # folder of what was decided, beside the checkpoints
AHEAD = (2, 4)  # times the rows; further is a guess
NORMAL = 1.96  # standard errors that hold 95 % of a normal distribution


@dataclass(frozen=True)
class Point:
    """Scores at a number of rows, and the lead of the network over the baseline."""

    rows: int
    network: Score
    baseline: Score
    lead: Lead


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A learning curve.

    Args:
        measure: Name of the score.
        judged: Validation rows that it is measured on.
        draws: Trainings of each point.
        points: The points, fewest rows first.
        ahead: What the network is expected to reach with more rows; [] if too few points say it.
        hindsight: What the smaller points would have said of the last one; None likewise.
    """

    measure: str
    judged: int
    draws: int
    points: list[Point]
    ahead: list[Forecast]
    hindsight: Forecast | None


def measure_curve(run: Run, *, draws: int) -> Curve:
    """Return the curve of the data of a run; points that were measured before are kept.

    Args:
        run: The training on all rows.
        draws: Trainings of each point, with other rows, weights and order.

    Raises:
        TrainingError: There are too few rows, or a fit failed.
        Interrupted: A signal asked for the end; complete trainings are kept.
    """
    data = run.prepared.data
    sizes = choose_sizes(len(data.train), classes=len(data.labels))
    folder = run.work / POINTS
    found: dict[int, list[Decided]] = {}
    for rows in sizes:
        all_draws = (Draw(rows, seed) for seed in range(1, draws + 1))
        decided = (_find(run, draw, folder=folder, of=draws) for draw in all_draws)
        found[rows] = [each for each in decided if each is not None]
        if not found[rows]:
            raise TrainingError(f"no training on {rows:,} rows came to an end; see the warnings")
    scored = {rows: _score(run, decided) for rows, decided in found.items()}
    network = [scored[rows]["network"] for rows in sizes]
    values, errors = [each.value for each in network], [error_of(each) for each in network]
    hindsight = [
        _allow_for(forecast, errors[-1])
        for forecast in extrapolate(sizes[:-1], values[:-1], errors[:-1], at=sizes[-1:])
    ]
    return Curve(
        measure=run.score,
        judged=len(run.judges.ids),
        draws=draws,
        points=[_point(rows, scored[rows]) for rows in sizes],
        ahead=extrapolate(sizes, values, errors, at=[times * sizes[-1] for times in AHEAD]),
        hindsight=hindsight[0] if hindsight else None,
    )


def _find(run: Run, draw: Draw, *, folder: Path, of: int) -> Decided | None:
    """Return what one training decides, and print a line; None for a fit that diverged."""
    started = time.monotonic()
    name = f"{draw.rows:,} rows, draw {draw.seed} of {of}"
    try:
        with console.status(name), hushed():
            decided = find_point(run, draw, folder=folder)
    except Diverged as error:
        console.print(f"warning: {name} is left out: {error}")
        return None
    figures = _score(run, [decided])
    network, baseline = (figures[name].value for name in ("network", "baseline"))
    console.print(
        f"{name}: {words.MEASURE[run.score]} {network:.4f}, "
        f"linear baseline {baseline:.4f}; {time.monotonic() - started:.0f} s"
    )
    return decided


def _allow_for(forecast: Forecast, error: float) -> Forecast:
    """Return a forecast whose interval is that of a measured score with this standard error."""
    below, above = (
        math.hypot(reach, NORMAL * error)
        for reach in (forecast.value - forecast.low, forecast.high - forecast.value)
    )
    return replace(forecast, low=forecast.value - below, high=forecast.value + above)


def _score(run: Run, decided: Sequence[Decided]) -> dict[str, Scored]:
    """Return the scores of network and baseline over draws."""
    sides = {
        "network": [each.network for each in decided],
        "baseline": [each.baseline for each in decided],
    }
    labels = len(run.prepared.data.labels)
    return score(run.judges.labels, sides, labels=labels, measure=run.score)


def _point(rows: int, scored: dict[str, Scored]) -> Point:
    network, baseline = scored["network"], scored["baseline"]
    return Point(rows, make_score(network), make_score(baseline), lead(network, baseline))
