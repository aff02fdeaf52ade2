"""Scores the rows of a file, at the speed of the engine and in constant memory."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

from models.batching import plan_batches
from models.golden import Probabilities
from service.answering.classifier import Classifier
from service.engines.batched import compute_batch
from service.scoring.formats import Answer, BadRow, Columns, Format
from service.scoring.parts import Parts

PART_ROWS = 4_096


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Who wants to know how far it has got.

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
        ids: Ids of each text, or why there are none.
        computed: Places of texts among the rows, and their probabilities to come.
    """

    number: int
    first: int
    batch: Sequence[Any]
    ids: list[list[int] | BadRow]
    computed: list[tuple[list[int], Future[Probabilities]]]


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

    def score(self, source: IO[bytes], parts: Parts, *, listener: Listener) -> int:
        """Score all rows of an open file; return the number of parts.

        Raises:
            FormatError: The file cannot be read, or not be written with these columns.
        """
        number = row = 0
        before: Begun | None = None
        with ThreadPoolExecutor(self._threads, thread_name_prefix="compute") as pool:
            for batch in self._format.batches(source, rows=PART_ROWS):
                if parts.has(number):
                    listener.advance(len(batch), True)
                else:
                    begun = self._begin(pool, batch, number=number, first=row)
                    # Only now, so that these texts were read while those before were computed.
                    self._finish(before, parts, listener)
                    before = begun
                number, row = number + 1, row + len(batch)
            self._finish(before, parts, listener)
        return number

    def _begin(
        self, pool: ThreadPoolExecutor, batch: Sequence[Any], *, number: int, first: int
    ) -> Begun:
        ids = [self._encode(text) for text in self._format.texts(batch)]
        good = [place for place, row in enumerate(ids) if not isinstance(row, BadRow)]
        engine, state = self._classifier.engine, self._classifier.metadata.state
        computed = []
        for group in plan_batches([len(ids[place]) for place in good]):  # type: ignore[arg-type]
            places = [good[index] for index in group]
            rows: list[Any] = [ids[place] for place in places]
            computed.append((places, pool.submit(compute_batch, engine, rows, state=state)))
        return Begun(number=number, first=first, batch=batch, ids=ids, computed=computed)

    def _encode(self, text: Any) -> list[int] | BadRow:
        if isinstance(text, BadRow):
            return text
        if not isinstance(text, str):
            return BadRow(f"not a text but {text!r:.40}")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return BadRow(f"character {error.start} is not UTF-8")
        return self._classifier.encode(text)

    def _finish(self, begun: Begun | None, parts: Parts, listener: Listener) -> None:
        if begun is None:
            return
        answers = [self._answer_none(row) for row in begun.ids]
        for places, probabilities in begun.computed:
            for place, row in zip(places, probabilities.result(), strict=True):
                answers[place] = self._answer(row)
        for place, row in enumerate(begun.ids):
            if isinstance(row, BadRow):
                listener.complain(begun.first + place + 1, str(row))
        parts.add(
            begun.number,
            lambda path: self._format.write(begun.batch, answers, path, columns=self._columns),
        )
        listener.advance(len(begun.batch), False)

    def _answer(self, probabilities: Probabilities) -> Answer:
        found = self._classifier.describe(probabilities, tokens=0)
        answer = found.model_dump(include={"label", "score", "labels"})
        answer["error"] = None
        return {self._prefix + name: value for name, value in answer.items()}

    def _answer_none(self, row: list[int] | BadRow) -> Answer:
        nothing: Answer = dict.fromkeys(self._columns)
        return nothing | {f"{self._prefix}error": str(row) if isinstance(row, BadRow) else None}
