"""Scores the rows of a file, at the speed of the engine and in constant memory."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from models.golden import Probabilities
from models.metadata import Metadata
from models.tables.decoding import find_half, is_byte
from models.tables.rows import EMPTY, Batch, Row, Table, look_up
from service.answering.answerer import NOBODY, Answerer, answering_files
from service.answering.classifier import Classifier
from service.scoring.parts import Parts
from service.scoring.writing import Added, Columns, Writer

PART_ROWS = 4_096
TEXTS_AT_ONCE = 512  # the first of them are computed while the next are tokenized


@dataclass(frozen=True, kw_only=True)
class ScoringObserver:
    """Receives the progress of a run.

    Args:
        advance: Called with the number of rows of each part, and whether the part existed already.
        complain: Called with each bad row and its fault.
    """

    advance: Callable[[int, bool], None]
    complain: Callable[[Row, str], None]


class BadText(Exception):
    """A row, or the text in it, cannot be read; other rows can."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A part in computation.

    Args:
        number: Number of the part.
        batch: Its rows.
        texts: Text of each row, or the fault of the row.
        answers: The coming answers to the texts, TEXTS_AT_ONCE at a time.
    """

    number: int
    batch: Batch
    texts: list[str | BadText]
    answers: list[asyncio.Task[list[Added]]]


@dataclass(frozen=True, kw_only=True)
class Scored:
    """The answers to the rows of a part.

    Args:
        answers: The added values of each row.
        faults: Each row without an answer, and why it has none.
    """

    answers: list[Added]
    faults: list[tuple[Row, str]]


class Scorer:
    """Adds a classifier's answers to the rows of a table.

    Args:
        classifier: The classifier that answers.
        column: Column of the text.
        writer: Writes the rows.
        threads: Number of computing threads.
        prefix: Prefix of the added columns.
    """

    def __init__(
        self, classifier: Classifier, *, column: str, writer: Writer, threads: int, prefix: str
    ) -> None:
        self._classifier = classifier
        self._column = column
        self._writer = writer
        self._threads = threads
        self._prefix = prefix
        self._names = [column.removeprefix(prefix) for column in writer.columns]

    def score(self, table: Table, parts: Parts, *, observer: ScoringObserver) -> int:
        """Score all rows of a table; return the number of parts.

        Raises:
            FormatError: A row cannot be written with these columns.
        """
        with answering_files(threads=self._threads) as answerer:
            return asyncio.run(self._score(table, parts, answerer, observer))

    async def _score(
        self, table: Table, parts: Parts, answerer: Answerer, observer: ScoringObserver
    ) -> int:
        number = 0
        before: Begun | None = None
        for batch in table.batches(PART_ROWS):
            if parts.has(number):
                observer.advance(len(batch.rows), True)
            else:
                begun = self._begin(answerer, batch, number=number)
                # Only now: these texts are tokenized while the last part is computed.
                await self._finish(before, parts, observer)
                before = begun
            number += 1
        await self._finish(before, parts, observer)
        return number

    async def score_part(self, batch: Batch, answerer: Answerer, *, target: Path) -> Scored:
        """Write rows with their answers to a new file, and return the answers.

        Raises:
            FormatError: A row cannot be written with these columns.
        """
        scored = await self._find_answers(self._begin(answerer, batch, number=0))
        self._writer.write(batch, scored.answers, target)
        return scored

    def _begin(self, answerer: Answerer, batch: Batch, *, number: int) -> Begun:
        texts = [_find_text(row, self._column) for row in batch.rows]
        good = [text for text in texts if isinstance(text, str)]
        answers = [
            asyncio.create_task(self._answer_all(answerer, good[start : start + TEXTS_AT_ONCE]))
            for start in range(0, len(good), TEXTS_AT_ONCE)
        ]
        return Begun(number=number, batch=batch, texts=texts, answers=answers)

    async def _answer_all(self, answerer: Answerer, texts: list[str]) -> list[Added]:
        answered = await answerer.answer(self._classifier, texts, caller=NOBODY)
        return [self._answer(answered.result(place)) for place in range(len(answered.jobs))]

    async def _finish(self, begun: Begun | None, parts: Parts, observer: ScoringObserver) -> None:
        if begun is None:
            return
        scored = await self._find_answers(begun)
        for row, fault in scored.faults:
            observer.complain(row, fault)
        # In a thread, so that the texts that are tokenized meanwhile can be computed.
        await asyncio.to_thread(
            parts.add,
            begun.number,
            lambda path: self._writer.write(begun.batch, scored.answers, path),
        )
        observer.advance(len(begun.batch.rows), False)

    async def _find_answers(self, begun: Begun) -> Scored:
        good = chain.from_iterable(await asyncio.gather(*begun.answers))
        answers = [
            self._explain_gap(text) if isinstance(text, BadText) else next(good)
            for text in begun.texts
        ]
        faults = [
            (row, str(text))
            for row, text in zip(begun.batch.rows, begun.texts, strict=True)
            if isinstance(text, BadText)
        ]
        return Scored(answers=answers, faults=faults)

    def _answer(self, probabilities: Probabilities) -> Added:
        found = self._classifier.predict(probabilities, tokens=0)
        answer = found.model_dump(include=set(self._names)) | {"error": None}
        return {self._prefix + name: answer[name] for name in self._names}

    def _explain_gap(self, fault: BadText) -> Added:
        nothing: Added = dict.fromkeys(self._writer.columns)
        return nothing | {f"{self._prefix}error": str(fault)}


def added_columns(metadata: Metadata, *, prefix: str, probabilities: bool = False) -> Columns:
    """Return the columns that the answers of a version add.

    Args:
        metadata: Metadata of the version.
        prefix: Prefix of their names.
        probabilities: Whether the probability of each label is added too.
    """
    several = metadata.task == "multi_label"
    kinds: Columns = {"labels": list} if several else {"label": str, "score": float}
    if probabilities:
        kinds["probabilities"] = dict
    return {prefix + name: kind for name, kind in (kinds | {"error": str}).items()}


def _find_text(row: Row, column: str) -> str | BadText:
    """Return the text of a row, or its fault."""
    try:
        given = look_up(row.values, column)
    except KeyError:
        listed = ", ".join(row.values) or "none"
        return BadText(row.fault or f"no column {column!r}; there are: {listed}")
    if row.fault is not None and not (row.fault == EMPTY and given is not None):
        return BadText(row.fault)
    if not isinstance(given, str):
        return BadText(f"not a text but {given!r:.40}")
    if (half := find_half(given)) is not None:
        kind = "a byte that is not UTF-8" if is_byte(given[half]) else "half a character"
        return BadText(f"character {half} is {kind}")
    return given
