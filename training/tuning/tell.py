"""Says at the end of a tuning which settings are best, by how much, and how to train with them."""

import shlex
from collections.abc import Sequence

from rich.table import Table

from training.console import console
from training.settings import TrainSettings
from training.tuning.outcome import Outcome, gain, is_noise, rank
from training.tuning.space import SPACE, Values, options

MOST_SHOWN = 10
WIDTH = 120  # columns at most, even where they are folded; else figures would be cut off
HEADINGS = {
    "embedding": "embed-\nding",
    "word_dropout": "word\ndropout",
    "learning_rate": "learning\nrate",
}


def tell(outcomes: Sequence[Outcome], *, settings: TrainSettings, score: str, rows: int) -> None:
    """Print the best trials, the verdict and the command.

    Args:
        outcomes: What came out of all trials.
        settings: What they started from.
        score: Name of the score.
        rows: Validation rows that the score is of.
    """
    ranked = rank(outcomes)
    if not ranked:
        console.print("no trial is complete yet")
        return
    console.print(_table(ranked[:MOST_SHOWN], score=score), width=WIDTH)
    console.print(count(outcomes))
    console.print(verdict(ranked, score=score, rows=rows))
    console.print(f"to train with the best: {command(settings, ranked[0].values)}")


def count(outcomes: Sequence[Outcome]) -> str:
    """Return how many trials ended in which way."""
    endings = [outcome.ending for outcome in outcomes]
    return f"{len(endings)} trials: " + ", ".join(
        f"{endings.count(ending)} {ending}" for ending in dict.fromkeys(endings)
    )


def verdict(ranked: Sequence[Outcome], *, score: str, rows: int) -> str:
    """Return in words whether the best of these trials is better than the defaults."""
    best = ranked[0]
    default = next((outcome for outcome in ranked if outcome.is_default), None)
    name = score.replace("_", " ")
    if default is None:
        return "the trial of the defaults is not complete, so there is nothing to compare with"
    if best is default:
        return "the defaults are best: nothing that was tried beats them"
    error = best.measured.standard_error or 0.0
    told = (
        f"trial {best.number} has {gain(best, default):.4f} more {name} than the defaults "
        f"on {rows:,} validation rows, where the standard error of a score is {error:.4f}: "
    )
    if is_noise(best, default):
        return told + "that is inside the noise, so the defaults may well be as good"
    return told + "that is more than noise, if a little flattered, for it is the best of many"


def command(settings: TrainSettings, values: Values) -> str:
    """Return the command that trains with these values."""
    named = {
        "--dataset": settings.dataset,
        "--name": settings.name,
        "--config": settings.config,
        "--revision": settings.revision,
        "--text-column": settings.text_column,
        "--label-column": settings.label_column,
        "--cell": settings.network.cell,
        "--seed": settings.seed,
    }
    given = [f"{option}={value}" for option, value in named.items() if value is not None]
    return shlex.join(["python", "-m", "training", "train", *given, *options(values)])


def _table(ranked: Sequence[Outcome], *, score: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    figures = ("trial", score.replace("_", "\n"), "log\nloss", "s", "tokens\n/s", "para-\nmeters")
    for heading in (*figures, *(HEADINGS.get(name, name) for name in SPACE)):
        table.add_column(heading, justify="right", no_wrap=True)
    for outcome in ranked:
        values = (str(value) for value in outcome.values.values())
        table.add_row(*_figures(outcome), *values, style="bold" if outcome is ranked[0] else None)
    return table


def _figures(outcome: Outcome) -> list[str]:
    measured = outcome.measured
    return [
        f"{outcome.number}" + (" (defaults)" if outcome.is_default else ""),
        f"{outcome.score:.4f}",
        f"{measured.log_loss:.4f}",
        f"{measured.seconds:.0f}",
        f"{measured.tokens_per_second:,.0f}",
        f"{(measured.parameters or 0) / 1e6:.2f} M",
    ]
