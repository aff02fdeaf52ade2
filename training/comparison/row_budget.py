"""Chooses the number of training rows of a comparison for its time budget."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from training.comparison.candidates import Contestant
from training.console import console
from training.defaults import choose_steps
from training.recipe.speed import measure_speed
from training.run import Run
from training.settings import Budget
from training.workspace.atomic import save_json

FEWEST = 200  # rows; fewer say nothing
SLACK = 1.25  # time of fits and measurements, as a multiple of the fits


def choose_rows(
    run: Run, contestants: Sequence[Contestant], *, seeds: int, budget: Budget, note: Path
) -> int | None:
    """Return the number of rows of train that the time allows; None for all.

    Args:
        run: The comparison with all rows; a resumed one keeps its number.
        contestants: The contestants to fit.
        seeds: Number of seeds of each.
        budget: The time budget.
        note: File that keeps the number.
    """
    if run.resume and note.is_file():
        return json.loads(note.read_text())
    rows = _choose_rows(run, contestants, seeds=seeds, budget=budget)
    save_json(rows, path=note)
    return rows


def _choose_rows(
    run: Run, contestants: Sequence[Contestant], *, seeds: int, budget: Budget
) -> int | None:
    with console.status("measuring how fast this machine trains"):
        seconds = _seconds_per_row(run, contestants)
    there_is = 60 * budget.minutes - budget.spent
    total, length = len(run.prepared.data.train), _mean_length(run)

    def takes(rows: int) -> float:
        settings, task = run.settings.fit, run.prepared.data.task
        tokens = math.ceil(rows * length)
        _, epochs = choose_steps(settings, rows=rows, tokens=tokens, task=task)
        return SLACK * seeds * seconds * rows * epochs

    fitting = [rows for rows in _candidates(total) if takes(rows) <= there_is]
    rows = max(fitting, default=min(FEWEST, total))
    drawn = "all rows" if rows == total else f"{rows:,} of {total:,} rows"
    console.print(
        f"time budget {budget.minutes:g} min: {drawn} of train ({takes(rows) / 60:.1f} min)"
    )
    if not fitting:
        console.print("warning: even that is likely to take longer")
    return None if rows == total else rows


def _candidates(total: int) -> list[int]:
    """Return numbers of rows to choose from, in steps of about 5 %."""
    if total <= FEWEST:
        return [total]
    steps = math.ceil(math.log(total / FEWEST) / math.log(1.05))
    return sorted({round(FEWEST * (total / FEWEST) ** (step / steps)) for step in range(steps + 1)})


def _seconds_per_row(run: Run, contestants: Sequence[Contestant]) -> float:
    """Return the seconds of one row in one epoch, summed over the contestants."""
    length, seconds = _mean_length(run), 0.0
    for each in contestants:
        shape = replace(run.settings.network, cell=each.cell, units=each.units)
        speed = measure_speed(replace(run, settings=replace(run.settings, network=shape)))
        seconds += length / speed
    return seconds


def _mean_length(run: Run) -> float:
    """Return the mean number of tokens that are read of a row of train."""
    return float(run.prepared.lengths("train").clip(max=run.settings.max_tokens).mean())
