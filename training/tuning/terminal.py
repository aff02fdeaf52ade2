"""Prints the result of a tuning: the best settings, their gain, and the command to train."""

import shlex
from collections.abc import Sequence
from dataclasses import fields

from rich.table import Table

from models import installation
from training.console import console
from training.reading import Reading
from training.settings import SETTINGS, TrainSettings
from training.tuning.outcome import Outcome, gain, is_noise, rank
from training.tuning.space import Values, options

MOST_SHOWN = 5  # beside each other, and the defaults
ASKED = (
    *("dataset", "name", "config", "revision"),
    *(each.name for each in fields(Reading)),
    *("cell", "seed"),
)
"""The settings that a tuning is asked for, in the order of the command that it prints."""


def print_outcomes(
    outcomes: Sequence[Outcome], *, settings: TrainSettings, score: str, rows: int
) -> None:
    """Print the best trials, the verdict and the command.

    Args:
        outcomes: Outcomes of all trials.
        settings: Settings that they started from.
        score: Name of the score.
        rows: Number of validation rows of the score.
    """
    ranked = rank(outcomes)
    if not ranked:
        console.print("no trial is complete yet")
        return
    console.print(_table(ranked, score=score))
    console.print(count(outcomes))
    console.print(verdict(ranked, score=score, rows=rows))
    console.print(f"to train with the best: {command(settings, ranked[0].values)}")


def count(outcomes: Sequence[Outcome]) -> str:
    """Return in words the number of trials by their ending."""
    endings = [outcome.ending for outcome in outcomes]
    return f"trials: {len(endings)}, of which " + ", ".join(
        f"{endings.count(ending)} {ending}" for ending in dict.fromkeys(endings)
    )


def verdict(ranked: Sequence[Outcome], *, score: str, rows: int) -> str:
    """Return in words whether the best trial is better than the defaults."""
    best = ranked[0]
    default = next((outcome for outcome in ranked if outcome.is_default), None)
    name = score.replace("_", " ")
    if default is None:
        return "the trial of the defaults is not complete, so there is nothing to compare with"
    if len(ranked) == 1:
        return "nothing but the defaults is complete, so there is nothing to compare with"
    if best is default:
        return "the defaults are best: nothing that was tried beats them"
    error = best.measured.standard_error or 0.0
    lead = (
        f"trial {best.number} has {gain(best, default):.4f} more {name} than the defaults "
        f"on {rows:,} validation rows, where the standard error of a score is {error:.4f}: "
    )
    if is_noise(best, default):
        return lead + "that is inside the noise, so the defaults may well be as good"
    return lead + "that is more than noise, but flattered a little, being the best of many"


def command(settings: TrainSettings, values: Values) -> str:
    """Return the command that trains with these values."""
    asked = {name: SETTINGS[name].value(settings) for name in ASKED}
    given = {name: v for name, v in asked.items() if v is not None and v is not False}
    alone = {"pretrained": False} if settings.pretrained is False else {}
    written = options(given | alone | values)
    return installation.command("training", shlex.join(["train", *written]))


def _table(ranked: Sequence[Outcome], *, score: str) -> Table:
    """Return a table with a column for each of the best trials, and one for the defaults."""
    shown = list(ranked[:MOST_SHOWN])
    shown += [outcome for outcome in ranked[MOST_SHOWN:] if outcome.is_default]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("trial", no_wrap=True)
    for outcome in shown:
        heading = "defaults" if outcome.is_default else str(outcome.number)
        table.add_column(heading, justify="right", no_wrap=True)
    columns = [_cells(outcome, score=score) for outcome in shown]
    for name in columns[0]:
        table.add_row(name, *(cells[name] for cells in columns))
    return table


def _cells(outcome: Outcome, *, score: str) -> dict[str, str]:
    measured = outcome.measured
    figures = {
        score: f"{outcome.score:.4f}",
        "log_loss": f"{measured.log_loss:.4f}",
        "seconds": f"{measured.seconds:,.0f}",
        "tokens/s": f"{measured.tokens_per_second:,.0f}",
        "parameters": f"{measured.parameters:,}",
    }
    values = {name: str(value) for name, value in outcome.values.items()}
    return {name.replace("_", " "): cell for name, cell in (figures | values).items()}
