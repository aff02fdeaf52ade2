"""Proves that two checkouts of this project behave the same, or shows the first difference.

python -m benchmarks.sameness BEFORE AFTER --dataset DATA/imdb [--only serving]

It uses only the parts of a checkout that must not change: its command lines, HTTP, WebSockets and
files, and the modules `models.tokenizer` and `models.metadata`.
"""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import typer

from benchmarks.sameness.checkout import Checkout, Pair
from benchmarks.sameness.commands import compare_commands
from benchmarks.sameness.ids import compare_ids
from benchmarks.sameness.report import Difference, Report
from benchmarks.sameness.resume import compare_resuming
from benchmarks.sameness.scoring import compare_scoring
from benchmarks.sameness.serving import compare_serving
from benchmarks.sameness.texts import load_texts
from benchmarks.sameness.trainings import compare_trainings

Part = Literal["commands", "ids", "scoring", "training", "resume", "serving"]
NEED_TEXTS = ("ids", "scoring", "serving")


def main(
    before: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A checkout.")],
    after: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Another.")],
    dataset: Annotated[str, typer.Option(help="IMDB: a folder or an id that datasets can load.")],
    texts: Annotated[int, typer.Option(min=1, help="Texts of the test split.")] = 2_000,
    only: Annotated[Part | None, typer.Option(help="One part; all if absent.")] = None,
    wording: Annotated[Path, typer.Option(help="File for messages with other words.")] = Path(
        "runs/sameness-wording.json"
    ),
) -> None:
    """Compare two checkouts; end with status 1 at the first difference."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # and end the services
    report = Report(wording)
    loaded = load_texts(dataset, texts) if only is None or only in NEED_TEXTS else []
    with TemporaryDirectory(prefix="sameness-") as scratch:
        pair = Pair(
            Checkout("before", before.resolve()), Checkout("after", after.resolve()), Path(scratch)
        )
        parts: dict[Part, Callable[[], None]] = {
            "commands": lambda: compare_commands(pair, report),
            "ids": lambda: compare_ids(pair, report, loaded),
            "scoring": lambda: compare_scoring(pair, report, loaded),
            "training": lambda: compare_trainings(pair, report),
            "resume": lambda: compare_resuming(pair, report),
            "serving": lambda: compare_serving(pair, report, loaded),
        }
        try:
            for part, compare in parts.items():
                if only in (None, part):
                    compare()
        except Difference as difference:
            typer.echo(f"DIFFERS  {difference}")
            raise typer.Exit(1) from None
        finally:
            report.close()
    typer.echo(f"all the same, in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    typer.run(main)
