"""The one way from texts to the answers of a version.

Every route, dialect, stream and file takes it. So admission, timing and counting are the same for
all of them.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from models.batching import Row
from models.cells import CELLS
from models.golden import Probabilities
from service.answering.budget import UNLIMITED, Budget
from service.answering.classifier import Classifier
from service.answering.prediction import GateMeans
from service.answering.tokenizing import (
    TokenizerThread,
    encode_at_once,
    fewest_seconds,
    is_short,
    most_seconds,
)
from service.engines.runner import Runner
from service.errors import Overloaded
from service.metrics import Metrics
from service.scheduling.bulk import BulkScheduler
from service.scheduling.jobs import Job, Reading, Ticket
from service.scheduling.scheduler import Watch, require_time

BULK_CHARS = 1_000_000  # of texts that are tokenized at once where nobody else waits
LENIENCE = 10  # times as long as it needs alone may a request take that sets no deadline

Stages = dict[str, float]
"""Seconds in each stage of a request, one after the other: tokenize, queue, model."""
ReadingPlan = Callable[[Sequence[Row]], Sequence[Reading]]
"""What is read of texts, given as ids: one reading at least. May raise ServiceError."""


class Scheduling(Protocol):
    """Decides when readings are computed."""

    async def compute(
        self, runner: Runner, readings: Sequence[Reading], *, deadline: float, watch: Watch | None
    ) -> Ticket:
        """Return the finished ticket of readings."""


class Admission(Protocol):
    """Rejects what cannot be answered in time."""

    @property
    def has_work(self) -> bool:
        """Whether any work waits, so that what comes may have to wait."""

    async def check(self, seconds: float, *, deadline: float) -> None:
        """Raise Overloaded if work that takes so long alone cannot be done by the deadline."""


class AnswerObserver(Protocol):
    """Is told what answered, such as a trace."""

    def answered(self, model: str, version: int, stages: Stages) -> None:
        """Note the version that has answered just now, and the seconds of each stage."""


class Counting(Protocol):
    """Counts what is answered."""

    def count_texts(
        self, model: str, version: int, *, texts: int, tokens: int, truncated: int = 0
    ) -> None:
        """Count what a version has read."""

    def count_stages(self, stages: Mapping[str, float], *, route: str) -> None:
        """Count the seconds of each stage of a request."""


@dataclass  # not frozen, as one is made for each request: that takes four times as long
class Caller:
    """The one that waits for an answer.

    Args:
        seconds: Seconds that the caller waits, from `arrived` on; None if it does not say.
        watch: Watches for a caller that leaves; None if there is no telling.
        arrived: When the request came, on the clock `time.monotonic`.
        budget: What the caller may have read.
        route: The way it came, for the metrics.
        observer: Is told what answered.
    """

    seconds: float | None = None
    watch: Watch | None = None
    arrived: float = field(default_factory=time.monotonic)
    budget: Budget = UNLIMITED
    route: str = "files"
    observer: AnswerObserver | None = None


NOBODY = Caller(seconds=math.inf)
"""In place of a caller, where files are answered."""


@dataclass(eq=False)
class Answered:
    """Readings of some texts that are finished.

    Args:
        rows: Ids of each text.
        stages: Seconds of each stage.
        gates: Mean opening of each gate at each id of the first reading, by layer; None where they
            are not asked for.
    """

    rows: Sequence[Row]
    stages: Stages
    gates: list[GateMeans] | None
    _ticket: Ticket

    @property
    def jobs(self) -> Sequence[Job]:
        """The readings as they ended, in the order of the plan."""
        return self._ticket.jobs

    @property
    def results(self) -> Sequence[Probabilities | Exception]:
        """Probabilities (labels,) of each reading, or what it failed with."""
        return self._ticket.results

    @property
    def computed(self) -> float:
        """Seconds that threads computed for it; 0 where the event loop did."""
        return self._ticket.computed

    def result(self, place: int) -> Probabilities:
        """Return the probabilities of a reading; raise what it failed with."""
        return self._ticket.result(place)


def read_whole(rows: Sequence[Row]) -> list[Reading]:
    """Plan to read each text to its end."""
    return [Reading(row) for row in rows]


class Answerer:
    """Tokenizes, admits, schedules, times and counts texts.

    Args:
        tokenizer: Turns texts into ids.
        scheduler: Decides when they are computed.
        metrics: Where they are counted.
        admission: Looks at texts before they are tokenized; None to reject nothing there.
        seconds: What a request may take that sets no deadline, unless its work alone takes long.
    """

    def __init__(
        self,
        tokenizer: TokenizerThread,
        scheduler: Scheduling,
        metrics: Counting,
        *,
        admission: Admission | None = None,
        seconds: float = math.inf,
    ) -> None:
        self._tokenizer = tokenizer
        self._scheduler = scheduler
        self._metrics = metrics
        self._admission = admission
        self._seconds = seconds

    async def answer(
        self,
        classifier: Classifier,
        texts: Sequence[str],
        *,
        caller: Caller,
        plan: ReadingPlan = read_whole,
        gates: bool = False,
    ) -> Answered:
        """Have a version read texts.

        Args:
            classifier: The version.
            texts: Texts to tokenize.
            caller: The one that waits.
            plan: Turns the ids of the texts into readings.
            gates: Whether to look at the gates during the first reading.

        Raises:
            ServiceError: The request is rejected, late, or given up by its caller; the plan raises
                it; or the version cannot show its gates.
        """
        started = time.monotonic()
        if is_short(texts):
            rows = encode_at_once(classifier, texts)
        else:
            rows = await self._tokenize(classifier, texts, caller)
        readings = plan(rows)
        tokenized = time.monotonic()
        ticket = await self._compute(classifier, readings, caller)
        self._count(classifier, ticket)
        opened = await _open_gates(classifier, readings[0]) if gates else None
        begun = ticket.started or tokenized
        stages = {
            "tokenize": tokenized - started,
            "queue": begun - tokenized,
            "model": time.monotonic() - begun,
        }
        self._metrics.count_stages(stages, route=caller.route)
        if caller.observer is not None:
            caller.observer.answered(classifier.metadata.name, classifier.metadata.version, stages)
        return Answered(rows, stages, opened, ticket)

    async def _tokenize(
        self, classifier: Classifier, texts: Sequence[str], caller: Caller
    ) -> list[Row]:
        """Return the ids of long texts."""
        if self._admission is not None and self._admission.has_work:
            await self._admit(self._admission, classifier, texts, caller)
        deadline = self._deadline([most_seconds(classifier, texts)], caller)
        return await self._tokenizer.encode(
            classifier, texts, deadline=deadline, watch=caller.watch
        )

    async def _compute(
        self, classifier: Classifier, readings: Sequence[Reading], caller: Caller
    ) -> Ticket:
        """Return the finished ticket of readings, taken from the budget of their caller."""
        tokens = sum(len(each.ids) for each in readings)
        alone = (each.seconds(classifier.runner) for each in readings)
        deadline = self._deadline(alone, caller)
        require_time(deadline)
        await caller.budget.take(tokens)
        try:
            ticket = await self._scheduler.compute(
                classifier.runner, readings, deadline=deadline, watch=caller.watch
            )
        except Overloaded:  # before anything was read; what is given up later stays taken
            await caller.budget.settle(tokens, read=0)
            raise
        ticket.release()
        await caller.budget.settle(tokens, read=ticket.tokens)
        return ticket

    async def _admit(
        self, admission: Admission, classifier: Classifier, texts: Sequence[str], caller: Caller
    ) -> None:
        """Reject long texts that cannot be answered in time, before they are tokenized."""
        least = fewest_seconds(classifier, texts)
        await admission.check(least, deadline=self._deadline([least], caller))

    def _deadline(self, alone: Iterable[float], caller: Caller) -> float:
        """Return when an answer comes too late whose parts take so many seconds alone.

        It is on the clock `time.monotonic`. The parts are asked for only if a caller says nothing.
        """
        if caller.seconds is not None:
            return caller.arrived + caller.seconds
        return caller.arrived + patience(sum(alone), usual=self._seconds)

    def _count(self, classifier: Classifier, ticket: Ticket) -> None:
        metadata = classifier.metadata
        self._metrics.count_texts(
            metadata.name,
            metadata.version,
            texts=len(ticket.jobs),
            tokens=ticket.tokens,
            truncated=sum(len(job.ids) < job.length for job in ticket.jobs),
        )


def patience(alone: float, *, usual: float) -> float:
    """Return how many seconds a request may take that sets no deadline.

    Args:
        alone: Seconds that its work takes alone.
        usual: Seconds that most may take.
    """
    return max(usual, LENIENCE * alone)


@contextmanager
def answering_files(*, threads: int) -> Iterator[Answerer]:
    """Give an answerer for the rows of files, which has threads of its own while entered.

    Args:
        threads: Batches that are computed at the same time.
    """
    tokenizer, scheduler = TokenizerThread(chars=BULK_CHARS), BulkScheduler(threads=threads)
    try:
        yield Answerer(tokenizer, scheduler, Metrics())
    finally:
        tokenizer.shutdown()
        scheduler.shutdown()


async def _open_gates(classifier: Classifier, reading: Reading) -> list[GateMeans]:
    """Return how far the gates open at each id of a reading, computed in a thread."""
    gates = CELLS[classifier.metadata.architecture.cell].gates
    engine = classifier.gate_engine
    openings = await asyncio.to_thread(engine.open_gates, reading.ids, reading.state)
    return [[dict(zip(gates, layer, strict=True)) for layer in at] for at in openings.tolist()]
