"""Scores the rows of a file, at the speed of the engine and in constant memory."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

from models.golden import Probabilities
from service.answering.answerer import NOBODY, Answered, Answerer, answering_files
from service.answering.classifier import Classifier
from service.scoring.formats import Added, BadRow, Columns, Format
from service.scoring.parts import Parts
from service.texts import find_half

PART_ROWS = 4_096


@dataclass(frozen=True, kw_only=True)
class ScoringObserver:
    """Receives the progress of a run.

    Args:
        advance: Called with the number of rows of each part, and whether the part existed already.
        complain: Called with the number of each bad row, from 1, and its fault.
    """

    advance: Callable[[int, bool], None]
    complain: Callable[[int, str], None]


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A part in computation.

    Args:
        number: Number of the part.
        first: Number of rows before it.
        batch: Its rows.
        texts: Text of each row, or the fault of the row.
        answered: The coming answers to the texts.
    """

    number: int
    first: int
    batch: Sequence[Any]
    texts: list[str | BadRow]
    answered: asyncio.Task[Answered]


class Scorer:
    """Adds a classifier's answers to the rows of a file.

    Args:
        classifier: The classifier that answers.
        format: Format of the file.
        threads: Number of computing threads.
        prefix: Prefix of the added columns.
    """

    def __init__(
        self, classifier: Classifier, *, format: Format, threads: int, prefix: str
    ) -> None:
        self._classifier = classifier
        self._format = format
        self._threads = threads
        self._prefix = prefix
        several = classifier.metadata.thresholds is not None
        kinds: Columns = {"labels": list} if several else {"label": str, "score": float}
        self._columns: Columns = {prefix + name: kind for name, kind in kinds.items()}
        self._columns[f"{prefix}error"] = str

    def score(self, source: IO[bytes], parts: Parts, *, observer: ScoringObserver) -> int:
        """Score all rows of an open file; return the number of parts.

        Raises:
            FormatError: The file cannot be read, or not written with these columns.
        """
        with answering_files(threads=self._threads) as answerer:
            return asyncio.run(self._score(source, parts, answerer, observer))

    async def _score(
        self, source: IO[bytes], parts: Parts, answerer: Answerer, observer: ScoringObserver
    ) -> int:
        number = row = 0
        before: Begun | None = None
        for batch in self._format.batches(source, rows=PART_ROWS):
            if parts.has(number):
                observer.advance(len(batch), True)
            else:
                begun = self._begin(answerer, batch, number=number, first=row)
                # Only now: these texts are tokenized while the last part is computed.
                await self._finish(before, parts, observer)
                before = begun
            number, row = number + 1, row + len(batch)
        await self._finish(before, parts, observer)
        return number

    def _begin(self, answerer: Answerer, batch: Sequence[Any], *, number: int, first: int) -> Begun:
        texts = [_check(text) for text in self._format.texts(batch)]
        good = [text for text in texts if isinstance(text, str)]
        answered = answerer.answer(self._classifier, good, caller=NOBODY)
        return Begun(
            number=number,
            first=first,
            batch=batch,
            texts=texts,
            answered=asyncio.create_task(answered),
        )

    async def _finish(self, begun: Begun | None, parts: Parts, observer: ScoringObserver) -> None:
        if begun is None:
            return
        answered = await begun.answered
        computed = iter(range(len(answered.jobs)))
        answers = [
            self._explain_gap(text)
            if isinstance(text, BadRow)
            else self._answer(answered.result(next(computed)))
            for text in begun.texts
        ]
        for place, text in enumerate(begun.texts):
            if isinstance(text, BadRow):
                observer.complain(begun.first + place + 1, str(text))
        parts.add(
            begun.number,
            lambda path: self._format.write(begun.batch, answers, path, columns=self._columns),
        )
        observer.advance(len(begun.batch), False)

    def _answer(self, probabilities: Probabilities) -> Added:
        found = self._classifier.predict(probabilities, tokens=0)
        answer = found.model_dump(include={"label", "score", "labels"})
        answer["error"] = None
        return {self._prefix + name: value for name, value in answer.items()}

    def _explain_gap(self, row: BadRow) -> Added:
        nothing: Added = dict.fromkeys(self._columns)
        return nothing | {f"{self._prefix}error": str(row)}


def _check(given: Any) -> str | BadRow:
    """Return the text of a row, or its fault."""
    if isinstance(given, BadRow):
        return given
    if not isinstance(given, str):
        return BadRow(f"not a text but {given!r:.40}")
    if (half := find_half(given)) is not None:
        return BadRow(f"character {half} is not UTF-8")
    return given
