"""One run of scoring: files, progress, and a closing line."""

import gc
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from rich.console import Console

from models.tables.decoding import digest_of
from models.tables.kinds import SUFFIXES, Kind, find_kind
from models.tables.opening import open_table
from models.versions import Version
from service.answering.classifier import Classifier
from service.engines.loading import open_engine
from service.engines.runner import Runner
from service.scoring.parts import Parts
from service.scoring.progress import ScoringProgress
from service.scoring.request import STANDARD, ScoreError, ScoringRun, find_column
from service.scoring.score import Scorer, added_columns
from service.scoring.target import held, parts_of
from service.scoring.writing import compressing, make_writer

FORMATS = tuple(suffix.lstrip(".") for suffix in SUFFIXES)


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
    _check_target(run.target)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory()))
        path = _keep_input(run.source, scratch) if _is_stream(run.source) else run.source
        with Console(stderr=True).status("looking through the file"):
            table = open_table(
                path, format=source_kind.name, encoding=run.encoding, separator=run.separator
            )
        if run.probabilities and target_kind.name == "txt":
            raise ScoreError("a .txt file has no place for --probabilities; name another format")
        column = find_column(table.columns, asked=run.column)
        writer = make_writer(
            target_kind,
            table.columns,
            columns=added_columns(
                version.metadata, prefix=run.prefix, probabilities=run.probabilities
            ),
            text=column,
            separator=getattr(table, "separator", ",") if source_kind == target_kind else ",",
        )
        if run.target != STANDARD:
            stack.enter_context(held(run.target.absolute()))
            _check_target(run.target)  # whoever held it may have made it
        engine = open_engine(version, kind=run.engine).engine
        classifier = Classifier(version, runner=Runner(engine, state=version.metadata.state))
        gc.freeze()  # what is there now stays, and no collection need look through it
        scorer = Scorer(
            classifier, column=column, writer=writer, threads=run.threads, prefix=run.prefix
        )
        kept = run.target != STANDARD and not _is_stream(run.source)
        folder = parts_of(run.target) if kept else scratch / "p"
        of_files = {"input": digest_of(path), "target": run.target.name}
        parts = Parts(folder, identity=run.identify(version) | of_files)
        try:
            with ScoringProgress(total=table.size, notes=table.notes) as progress:
                count = scorer.score(table, parts, observer=progress.observe(table))
            if count == 0:
                raise ScoreError(f"{run.source} has no rows")
        finally:
            parts.drop_if_empty()
        joined = run.target if run.target != STANDARD else scratch / "joined"

        def join(found: list[Path], file: IO[bytes]) -> None:
            with compressing(file, target_kind) as packed:
                writer.join(found, packed)

        parts.join(count, joined, join)
        if run.target == STANDARD:
            with joined.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    return progress.sum_up()


def _check_target(target: Path) -> None:
    if target == STANDARD or not target.exists():
        return
    device = not target.is_file() and not target.is_dir()
    hint = "; --out - writes to standard output" if device else ""
    raise ScoreError(f"{target} is there already{hint}")


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
