"""A file of a teacher's verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.metadata import Task
from training.data.columns import find_text
from training.data.labels import class_names
from training.data.row_reader import read_column, refuse_unreadable
from training.data.rows import Rows, describe_place
from training.data.sources import load_source
from training.errors import DataError
from training.reading import Reading
from training.teachers.answers import PREFIXES, AnswerReader, BadAnswer
from training.teachers.verdicts import TeacherError, Verdicts


@dataclass(frozen=True)
class FileTeacher:
    """A file, a folder or a Hub dataset with a text and a verdict in each row.

    Args:
        source: What the user names.
        reading: How it is to be read. A text column that it lacks is found.
    """

    source: str
    reading: Reading
    has_texts = True

    def judge(self, texts: Sequence[str], *, labels: Sequence[str], task: Task) -> Verdicts:
        """Return the verdicts of the file, whatever the texts; see Teacher."""
        reading = Reading(encoding=self.reading.encoding, separator=self.reading.separator)
        source = load_source(self.source, config=None, revision=None, reading=reading)
        reader = AnswerReader(labels, task)
        found: dict[str, np.ndarray] = {}
        faults: list[str] = []
        count = 0
        for split, rows in source.splits.items():
            refuse_unreadable(split, rows)
            for number, (text, answer) in enumerate(_answers(rows, split, self.reading, labels)):
                count += 1
                try:
                    if not isinstance(text, str) or not text.strip():
                        raise BadAnswer("the text is missing")
                    found.setdefault(text, reader.read(answer))
                except BadAnswer as fault:
                    faults.append(f"in {describe_place(rows, number)} {fault}")
        if faults and not self.reading.skip_unusable:
            raise TeacherError(
                f"--teacher {source.name}: {len(faults):,} of {count:,} rows cannot be used: "
                f"{faults[0]}; --skip-unusable leaves such rows out"
            )
        if not found:
            raise TeacherError(f"--teacher {source.name} holds no verdict")
        notes = list(source.notes)
        if faults:
            notes.append(f"{len(faults):,} of {count:,} rows are left out: {faults[0]}")
        if again := count - len(faults) - len(found):
            notes.append(f"{again:,} texts stand there again; their first verdict counts")
        return Verdicts(
            name=source.name,
            texts=list(found),
            probabilities=np.stack(list(found.values())),
            notes=tuple(notes),
        )


def _answers(
    rows: Rows, split: str, reading: Reading, labels: Sequence[str]
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the text and the answer of each row."""
    text = reading.text_column if reading.text_column in rows.features else None
    verdicts = {
        prefix + name
        for prefix in PREFIXES
        for name in ("probabilities", "logprobs", "label", "score", "labels", "error", *labels)
    }
    others = {name: kind for name, kind in rows.features.items() if name not in verdicts}
    text = text or find_text(others or rows.features)
    names = [name for name in rows.features if name in verdicts]
    if not names:
        there_are = ", ".join(rows.features)
        raise DataError(f"split {split!r} holds no verdicts; its columns are: {there_are}")
    columns = [_read_named(rows, name, split=split) for name in names]
    for place, each in enumerate(read_column(rows, text, split=split)):
        yield each, {name: column[place] for name, column in zip(names, columns, strict=True)}


def _read_named(rows: Rows, column: str, *, split: str) -> list[Any]:
    """Return the values of a column, with names in place of the numbers of declared classes."""
    values, declared = read_column(rows, column, split=split), class_names(rows.features[column])
    if declared is None:
        return values
    known = range(len(declared))
    return [declared[value] if value in known else None for value in values]
