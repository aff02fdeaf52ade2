"""One run of scoring: files, progress, and a closing line."""

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from models.errors import GatewiseError
from models.tables.decoding import digest_of
from models.tables.kinds import SUFFIXES, Kind, find_kind
from models.tables.opening import open_table
from models.tables.rows import Row, Table, may_hold
from models.versions import Version
from service.answering.classifier import Classifier
from service.engines.loading import EngineKind, open_engine
from service.engines.runner import Runner
from service.scoring.parts import Parts
from service.scoring.score import PART_ROWS, Scorer, ScoringObserver, added_columns
from service.scoring.writing import compressing, make_writer

STANDARD = Path("-")  # standard input or output
MOST_COMPLAINTS = 20
FORMATS = tuple(suffix.lstrip(".") for suffix in SUFFIXES)


class ScoreError(GatewiseError):
    """The request cannot be fulfilled."""


@dataclass(frozen=True, kw_only=True)
class ScoringRun:
    """The request of a run.

    Args:
        source: File to read, or STANDARD.
        target: File to write, which must not exist yet, or STANDARD.
        format: Kind of both files; None takes it from the ends of their names.
        column: Column of the text; None for "text", or the only column.
        prefix: Prefix of the added columns.
        encoding: Encoding of the file to read; None to find it.
        separator: Character between its fields; None to find it.
        engine: Kind of engine that computes.
        threads: Number of computing threads.
        probabilities: Whether the probability of each label is added.
    """

    source: Path
    target: Path
    format: str | None
    column: str | None
    prefix: str
    encoding: str | None
    separator: str | None
    engine: EngineKind
    threads: int
    probabilities: bool = False


def score_file(run: ScoringRun, version: Version) -> int:
    """Score a file with a version; resume a stopped run of the same request.

    Returns:
        The number of rows that got an answer.

    Raises:
        GatewiseError: The file, the version or the target cannot be used.
    """
    source_kind, target_kind = _find_kinds(run)
    if run.source != STANDARD and not run.source.exists():
        raise ScoreError(f"there is no file {run.source}")
    if run.target != STANDARD and run.target.exists():
        device = not run.target.is_file() and not run.target.is_dir()
        hint = "; --out - writes to standard output" if device else ""
        raise ScoreError(f"{run.target} is there already{hint}")
    with TemporaryDirectory() as scratch:
        path = _keep_input(run.source, Path(scratch)) if _is_stream(run.source) else run.source
        with Console(stderr=True).status("looking through the file"):
            table = open_table(
                path, format=source_kind.name, encoding=run.encoding, separator=run.separator
            )
        if run.probabilities and target_kind.name == "txt":
            raise ScoreError("a .txt file has no place for --probabilities; name another format")
        column = _find_column(table.columns, asked=run.column)
        writer = make_writer(
            target_kind,
            table.columns,
            columns=added_columns(
                version.metadata, prefix=run.prefix, probabilities=run.probabilities
            ),
            separator=getattr(table, "separator", ",") if source_kind == target_kind else ",",
        )
        engine = open_engine(version, kind=run.engine).engine
        classifier = Classifier(version, runner=Runner(engine, state=version.metadata.state))
        scorer = Scorer(
            classifier, column=column, writer=writer, threads=run.threads, prefix=run.prefix
        )
        kept = run.target != STANDARD and not _is_stream(run.source)
        folder = run.target.with_name(f"{run.target.name}.parts") if kept else Path(scratch) / "p"
        parts = Parts(folder, identity=_identity(run, path, version))
        try:
            with _Progress(table) as progress:
                count = scorer.score(table, parts, observer=progress.observer)
            if count == 0:
                raise ScoreError(f"{run.source} has no rows")
        finally:
            parts.drop_if_empty()
        joined = run.target if run.target != STANDARD else Path(scratch) / "joined"

        def join(found: list[Path], file: IO[bytes]) -> None:
            with compressing(file, target_kind) as packed:
                writer.join(found, packed)

        parts.join(count, joined, join)
        if run.target == STANDARD:
            with joined.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    return progress.sum_up()


def _find_kinds(run: ScoringRun) -> tuple[Kind, Kind]:
    """Return the kinds of both files; where one has no name it is that of the other."""
    named = [
        path for path in (run.source, run.target) if not _is_stream(path) and not path.is_dir()
    ]
    if not named and run.format is None:
        raise ScoreError(f"name the --format, one of {', '.join(FORMATS)}")
    kinds = [find_kind(path, format=run.format) for path in named]
    if not kinds:
        kinds = [find_kind(STANDARD, format=run.format)]
    if _is_stream(run.source) or run.source.is_dir():
        return kinds[0], kinds[-1]
    return kinds[0], kinds[-1] if run.target != STANDARD else Kind(kinds[0].name, False)


def _is_stream(path: Path) -> bool:
    """Whether a path is standard input, or a pipe such as that of `<(command)`."""
    return path == STANDARD or path.is_fifo()


def _keep_input(source: Path, folder: Path) -> Path:
    """Keep standard input, or what comes from a pipe, in a file that can be read again."""
    path = folder / "input"
    with path.open("wb") as file:
        if source == STANDARD:
            shutil.copyfileobj(sys.stdin.buffer, file)
        else:
            with source.open("rb") as pipe:
                shutil.copyfileobj(pipe, file)
    return path


def _find_column(there: Sequence[str], *, asked: str | None) -> str:
    """Return the name of the text column.

    Raises:
        ScoreError: It is missing, or not named among several.
    """
    listed = ", ".join(map(repr, there)) or "none"
    if asked is not None and not may_hold(there, asked):
        raise ScoreError(f"no column {asked!r}; there are: {listed}")
    if asked is None and len(there) != 1 and "text" not in there:
        raise ScoreError(f"name the column of the text with --text-column, one of: {listed}")
    return asked or ("text" if "text" in there else there[0])


def _identity(run: ScoringRun, path: Path, version: Version) -> dict[str, str | int | None]:
    """Return the identity that all parts of a run share."""
    return {
        "input": digest_of(path),
        "target": run.target.name,
        "model": f"{version.reference} of {version.metadata.created.isoformat()}",
        "text column": run.column,
        "prefix": run.prefix,
        "format": run.format,
        "encoding": run.encoding,
        "separator": run.separator,
        "probabilities": run.probabilities,
        "number of rows": PART_ROWS,
    }


class _Progress:
    """Shows the progress on standard error, and counts rows."""

    def __init__(self, table: Table) -> None:
        self._unit = table.unit
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
        self._bar = self._progress.add_task("", total=table.size, rows=0, speed=0.0)
        for note in table.notes:
            self._console.print(f"note: {note}", markup=False, highlight=False)
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
        self._progress.update(self._bar, completed=self._rows, rows=self._rows, speed=self._speed)

    @property
    def _speed(self) -> float:
        return (self._rows - self._resumed) / (time.monotonic() - self._started)

    def _complain(self, row: Row, what: str) -> None:
        self._bad += 1
        if self._bad <= MOST_COMPLAINTS:
            place = f"{self._unit} {row.place}"
            self._console.print(f"{place}: {what}", markup=False, highlight=False)

    def sum_up(self) -> int:
        """Print the counts; return the number of rows with an answer."""
        said = f"{self._rows:,} rows, {self._speed:,.0f}/s"
        said += f", {self._resumed:,} of them scored before" if self._resumed else ""
        said += f"; {self._bad:,} bad" if self._bad else ""
        self._console.print(said, highlight=False)
        return self._rows - self._bad
