"""One run of scoring: files, progress, and a closing line."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from models.errors import GatewiseError
from models.versions import Version
from service.answering.classifier import Classifier
from service.engines.loading import EngineKind, open_engine
from service.engines.runner import Runner
from service.scoring.formats import FORMATS, Format
from service.scoring.parts import Parts
from service.scoring.score import PART_ROWS, Scorer, ScoringObserver

STANDARD = Path("-")  # standard input or output
MOST_COMPLAINTS = 20


class ScoreError(GatewiseError):
    """The request cannot be fulfilled."""


@dataclass(frozen=True, kw_only=True)
class ScoringRun:
    """The request of a run.

    Args:
        source: File to read, or STANDARD.
        target: File to write, which must not exist yet, or STANDARD.
        format: Format of both; None takes it from the ends of their names.
        column: Column of the text; None for "text", or the only column.
        prefix: Prefix of the added columns.
        engine: Kind of engine that computes.
        threads: Number of computing threads.
    """

    source: Path
    target: Path
    format: str | None
    column: str | None
    prefix: str
    engine: EngineKind
    threads: int


def score_file(run: ScoringRun, version: Version) -> None:
    """Score a file with a version; resume a stopped run of the same request.

    Raises:
        GatewiseError: The file, the version or the target cannot be used.
    """
    form = _choose_format(run)
    if run.source != STANDARD and not run.source.is_file():
        raise ScoreError(f"there is no file {run.source}")
    if run.target != STANDARD and run.target.exists():
        raise ScoreError(f"{run.target} is there already")
    engine = open_engine(version, kind=run.engine)
    classifier = Classifier(version, runner=Runner(engine, state=version.metadata.state))
    scorer = Scorer(classifier, format=form, threads=run.threads, prefix=run.prefix)
    with _open(run.source) as source, TemporaryDirectory() as scratch:
        kept = STANDARD not in (run.source, run.target)
        folder = run.target.with_name(f"{run.target.name}.parts") if kept else Path(scratch) / "p"
        parts = Parts(folder, identity=_identity(run, version))
        with _Progress(source) as progress:
            count = scorer.score(source, parts, observer=progress.observer)
        if count == 0:
            raise ScoreError(f"{run.source} has no rows")
        joined = run.target if run.target != STANDARD else Path(scratch) / "joined"
        parts.join(count, joined, form.join)
        if run.target == STANDARD:
            with joined.open("rb") as file:
                sys.stdout.buffer.writelines(file)
    progress.sum_up()


def _choose_format(run: ScoringRun) -> Format:
    names = {path.suffix.lstrip(".") for path in (run.source, run.target) if path != STANDARD}
    names = {run.format} if run.format else names
    if len(names) > 1:
        raise ScoreError(f"both files must have one format, not {' and '.join(sorted(names))}")
    (name,) = names or {""}
    if name not in FORMATS:
        raise ScoreError(f"name the --format, one of {', '.join(FORMATS)}, not {name!r}")
    if name == "parquet" and run.source == STANDARD:
        raise ScoreError("Parquet cannot be read from standard input; give a file")
    return FORMATS[name](run.column)


def _identity(run: ScoringRun, version: Version) -> dict[str, str | int | None]:
    """Return the identity that all parts of a run share."""
    stat = run.source.stat() if run.source != STANDARD else None
    return {
        "input": str(run.source.resolve()),
        "size of the input": stat.st_size if stat else None,
        "time of the input": stat.st_mtime_ns if stat else None,
        "model": f"{version.reference} of {version.metadata.created.isoformat()}",
        "text column": run.column,
        "prefix": run.prefix,
        "format": run.format,
        "number of rows": PART_ROWS,
    }


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    if path == STANDARD:
        yield sys.stdin.buffer
        return
    with path.open("rb") as file:
        yield file


class _Progress:
    """Shows the progress on standard error, and counts rows."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("scoring"),
            BarColumn(),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[speed]:,.0f}/s"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=_size(source), rows=0, speed=0.0)
        self._started = time.monotonic()
        self._rows = self._resumed = self._bad = 0
        self.observer = ScoringObserver(advance=self._advance, complain=self._complain)

    def __enter__(self) -> "_Progress":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _advance(self, rows: int, known: bool) -> None:
        self._rows += rows
        self._resumed += rows if known else 0
        place = self._source.tell() if self._source.seekable() else None
        self._progress.update(self._bar, completed=place, rows=self._rows, speed=self._speed)

    @property
    def _speed(self) -> float:
        return (self._rows - self._resumed) / (time.monotonic() - self._started)

    def _complain(self, row: int, what: str) -> None:
        self._bad += 1
        if self._bad <= MOST_COMPLAINTS:
            self._console.print(f"row {row}: {what}", markup=False, highlight=False)

    def sum_up(self) -> None:
        """Print the counts."""
        said = f"{self._rows:,} rows, {self._speed:,.0f}/s"
        said += f", {self._resumed:,} of them scored before" if self._resumed else ""
        said += f"; {self._bad:,} bad" if self._bad else ""
        self._console.print(said, highlight=False)


def _size(source: IO[bytes]) -> int | None:
    if not source.seekable():
        return None
    place = source.tell()
    size = source.seek(0, 2)
    source.seek(place)
    return size
