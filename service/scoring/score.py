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
    """Hears how far it has got.

    Args:
        advance: Called with the rows of each part, and whether they were there already.
        complain: Called with the number of each bad row, from 1, and what is wrong with it.
    """

    advance: Callable[[int, bool], None]
    complain: Callable[[int, str], None]


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A part that is being computed.

    Args:
        number: Of the part.
        first: Rows before it.
        batch: Its rows.
        texts: The text of each row, or why there is none.
        answered: What becomes of the texts.
    """

    number: int
    first: int
    batch: Sequence[Any]
    texts: list[str | BadRow]
    answered: asyncio.Task[Answered]


class Scorer:
    """Adds a classifier's answers to the rows of a file.

    Args:
        classifier: What answers.
        format: Of the file.
        threads: That compute.
        prefix: Of the names of the columns that are added.
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
            FormatError: The file cannot be read, or not be written with these columns.
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
                # Only now, so that these texts are tokenized while those before are computed.
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
    """Return the text of a row, or why there is none."""
    if isinstance(given, BadRow):
        return given
    if not isinstance(given, str):
        return BadRow(f"not a text but {given!r:.40}")
    if (half := find_half(given)) is not None:
        return BadRow(f"character {half} is not UTF-8")
    return given
