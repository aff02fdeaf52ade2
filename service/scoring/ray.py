"""Scores files on a Ray cluster: Ray Data hands parts of them to the nodes.

One task reads each source, as `score` alone does, and passes on its rows part by part. Other tasks
answer parts, and write each to a folder that all nodes share. Ray repeats the tasks of a node that
is lost. A repeated part replaces itself, so no row is there twice.

Each process of a node opens the version once. It takes it from the store if it has the store, else
from Ray's object store, to which the bytes are put once and which copies them once to each node.
"""

import asyncio
import logging
import pickle
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from models import __version__
from models.ray_cluster import CLIENT, ClusterError, connected, raise_cause
from models.tables.kinds import Kind
from models.tables.opening import open_table
from models.tables.rows import Batch
from models.versions import Version
from service.answering.answerer import Answerer, answering_files
from service.answering.classifier import Classifier
from service.engines.loading import open_engine
from service.engines.runner import Runner
from service.scoring.part_folder import PartFolder, PartNames
from service.scoring.progress import MOST_COMPLAINTS, ScoringProgress
from service.scoring.request import STANDARD, ScoreError, ScoringRun, find_column
from service.scoring.score import PART_ROWS, Scorer, added_columns
from service.scoring.shipped_version import VersionPlace, pack
from service.scoring.sources import list_sources
from service.scoring.writing import Columns, make_writer

TASK_BYTES = 1024**2  # of rows that a task answers; more cost less to pass on, and more to repeat
CORES_PER_READER = 8  # one process reads as fast as about so many answer
PARQUET = Kind("parquet", False)

Item = dict[str, Any]
"""A row of Ray Data: one part, before or after it is answered."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all tasks of a run need.

    Args:
        run: The request; its engine is the one that every node has to have.
        sources: The files, each with the names of its parts.
        folder: Where the parts go.
        place: Where the version is.
        shipped: Reference of Ray to the files of the version.
        columns: The added columns.
        release: Of Gatewise, which every node has to have.
    """

    run: ScoringRun
    sources: list[PartNames]
    folder: PartFolder
    place: VersionPlace
    shipped: Any
    columns: Columns
    release: str = __version__


@dataclass
class Tally:
    """What is known of the parts of a source: rows by number, and how many parts there are."""

    rows: dict[int, int] = field(default_factory=dict)
    parts: int | None = None

    @property
    def whole(self) -> bool:
        """Whether all parts are there."""
        return self.parts is not None and set(self.rows) == set(range(self.parts))


def score_on_ray(run: ScoringRun, version: Version, *, address: str) -> int:
    """Score files on a cluster; resume a stopped run of the same request.

    Args:
        run: The request. `threads` are those of each task.
        version: The verified version.
        address: Address of the cluster.

    Returns:
        The number of rows that got an answer.

    Raises:
        GatewiseError: The files, the version, the target or the cluster cannot be used.
    """
    _check(run)
    sources = list_sources(run.source, format=run.format)
    engine = open_engine(version, kind=run.engine).engine.name
    run = ScoringRun(**{**vars(run), "engine": engine})
    place = VersionPlace.of(version)
    identity = run.identify(version) | {"engine": engine, "version": place.sha256}
    folder = PartFolder(run.target)
    with ExitStack() as stack:
        stack.enter_context(folder.held())
        stack.callback(folder.drop_if_empty)
        ray = stack.enter_context(connected(address))
        job = Job(
            run=run,
            sources=[PartNames.of(source, identity=identity) for source in sources],
            folder=folder,
            place=place,
            shipped=ray.put(pack(version)),
            columns=added_columns(
                version.metadata, prefix=run.prefix, probabilities=run.probabilities
            ),
        )
        with ScoringProgress() as progress:
            items = partial(_compute, job, ray=ray, remote=address.startswith(CLIENT))
            tallies = _tally(job, items, progress=progress)
        if not any(tally.rows for tally in tallies):
            raise ScoreError(f"{run.source} has no rows")
        parts = {
            names: [tally.rows[number] for number in range(len(tally.rows))]
            for names, tally in zip(job.sources, tallies, strict=True)
        }
        folder.finish(parts, about={**identity, "gatewise": __version__})
    return progress.sum_up()


def _check(run: ScoringRun) -> None:
    if STANDARD in (run.source, run.target):
        raise ScoreError("a cluster reads and writes files; --in - and --out - are for one machine")
    if run.target.exists():
        raise ScoreError(f"{run.target} is there already")
    if run.target.suffix not in ("", ".parquet"):
        raise ScoreError(
            f"a cluster writes a folder of Parquet files; name one in place of {run.target}"
        )


def _count_cores(ray: Any) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _compute(job: Job, *, ray: Any, remote: bool) -> Iterable[Item]:
    """Yield each part once it is there, and the end of each source.

    Args:
        job: The job.
        ray: The module, connected.
        remote: Whether Ray Data has to run on the cluster. It does not work through Ray's client,
            so a task does it, and says nothing until the end.
    """
    cores = _count_cores(ray)
    if remote:
        items: list[Item] = ray.get(ray.remote(num_cpus=0)(compute_all).remote(job, cores=cores))
        return items
    found: Iterable[Item] = _plan(job, cores=cores).iter_rows()
    return found


def compute_all(job: Job, *, cores: int) -> list[Item]:
    """Have all parts computed by a process of the cluster."""
    return list(_plan(job, cores=cores).iter_rows())


def _tally(
    job: Job, compute: Callable[[], Iterable[Item]], *, progress: ScoringProgress
) -> list[Tally]:
    """Have all parts computed that are not there; return what is known of each source.

    Raises:
        GatewiseError: A source cannot be read, a row not be written, or a node not be used.
    """
    tallies = [Tally() for _ in job.sources]
    try:
        for item in compute():
            note(item, tallies[item["source"]], progress)
    except Exception as error:
        raise_cause(error, doing="a part could not be scored")
    for names, tally in zip(job.sources, tallies, strict=True):
        if not tally.whole:
            raise ClusterError(
                f"Ray has not computed all parts of {names.source.path}; run it again"
            )
    return tallies


def _plan(job: Job, *, cores: int) -> Any:
    """Return the dataset of Ray Data that computes all parts when it is read."""
    import ray.data

    _hush_console(logging.getLogger("ray.data"))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.target_max_block_size = TASK_BYTES
    sources: Any = ray.data.from_items(
        list(range(len(job.sources))), override_num_blocks=len(job.sources)
    )
    readers = ray.data.TaskPoolStrategy(size=max(1, cores // CORES_PER_READER))
    # Reading takes no core of its own: where all are computing, nothing would be read.
    rows: Any = sources.flat_map(read, fn_kwargs={"job": job}, compute=readers, num_cpus=0)
    return rows.map(answer, fn_kwargs={"job": job}, num_cpus=job.run.threads)


def _hush_console(logger: logging.Logger) -> None:
    """Keep what Ray logs in its own files alone; what matters comes as an exception."""
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)


def note(item: Item, tally: Tally, progress: ScoringProgress) -> None:
    """Note a part that is there, or the end of a source."""
    if item["ends"]:
        tally.parts = item["number"]
        for note in pickle.loads(item["rows"]):
            progress.note(note)
        return
    if item["number"] in tally.rows:  # of a task that was repeated
        return
    tally.rows[item["number"]] = item["count"]
    progress.advance(item["count"], item["known"])
    complaints = item["complaints"]
    for complaint in complaints:
        progress.complain(complaint)
    progress.count_bad(item["bad"] - len(complaints))


def read(given: Item, *, job: Job) -> Iterator[Item]:
    """Yield the parts of a source, with their rows where the part is not there; then its end.

    Runs on any node.

    Raises:
        GatewiseError: The source cannot be read, or was changed.
    """
    number = given["item"]
    names = job.sources[number]
    where = _check_node(job)
    names.source.check(where=where)
    table = open_table(
        names.source.path,
        format=job.run.format,
        encoding=job.run.encoding,
        separator=job.run.separator,
    )
    part = 0
    for batch in table.batches(PART_ROWS):
        known = job.folder.has(names.part(part))
        rows = b"" if known else pickle.dumps((batch, table.columns, table.unit))
        yield _item(number, part, rows=rows, count=len(batch.rows), known=known)
        part += 1
    names.source.check(where=where)
    yield _item(number, part, rows=pickle.dumps(table.notes), ends=True)


def answer(item: Item, *, job: Job) -> Item:
    """Answer the rows of a part and write it, unless it is there; runs on any node."""
    if item["ends"] or item["known"]:
        return item
    names = job.sources[item["source"]]
    batch, columns, unit = pickle.loads(item["rows"])
    complaints = _open_node(job).write(batch, columns, names.part(item["number"]))
    shown = [f"{names.source.path.name}: {unit} {what}" for what in complaints[:MOST_COMPLAINTS]]
    return {**item, "rows": b"", "complaints": shown, "bad": len(complaints)}


def _item(
    source: int,
    number: int,
    *,
    rows: bytes,
    count: int = 0,
    known: bool = False,
    ends: bool = False,
) -> Item:
    """Return a part of a source, or with `ends` the number of its parts and its notes."""
    return {
        "source": source,
        "number": number,
        "rows": rows,
        "count": count,
        "known": known,
        "ends": ends,
        "complaints": [],
        "bad": 0,
    }


def _check_node(job: Job) -> str:
    """Return the name of this machine.

    Raises:
        GatewiseError: It has another release, or does not see the folder of the parts.
    """
    where = platform.node()
    if job.release != __version__:
        raise ClusterError(f"{where} has Gatewise {__version__}, not {job.release}")
    job.folder.check(where=where)
    return where


_nodes: dict[tuple[VersionPlace, ScoringRun], "_Node"] = {}


def _open_node(job: Job) -> "_Node":
    """Return what this process has opened for a job; the first part of it opens it."""
    key = (job.place, job.run)
    if key not in _nodes:
        _nodes[key] = _Node(job)
    return _nodes[key]


class _Node:
    """What a process of a node keeps: the opened version, and the threads that compute."""

    def __init__(self, job: Job) -> None:
        import ray

        _check_node(job)
        version = job.place.find() or job.place.unpack(ray.get(job.shipped))
        engine = open_engine(version, kind=job.run.engine).engine
        self._job = job
        self._classifier = Classifier(version, runner=Runner(engine, state=version.metadata.state))
        self._open = ExitStack()  # until the process ends
        self._answerer: Answerer = self._open.enter_context(
            answering_files(threads=job.run.threads)
        )

    def write(self, batch: Batch, columns: tuple[str, ...], name: str) -> list[str]:
        """Answer rows and write them as a part; return what is wrong with rows, by their place."""
        run = self._job.run
        scorer = Scorer(
            self._classifier,
            column=find_column(columns, asked=run.column),
            writer=make_writer(PARQUET, columns, columns=self._job.columns),
            threads=run.threads,
            prefix=run.prefix,
        )
        with self._job.folder.adding(name) as path:
            scored = asyncio.run(scorer.score_part(batch, self._answerer, target=path))
        return [f"{row.place}: {fault}" for row, fault in scored.faults]
