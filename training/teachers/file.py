"""A file of a teacher's verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.metadata import Task
from training.data.columns import find_text
from training.data.labels import class_names
from training.data.row_reader import describe_no_text, note_unreadable, read_column
from training.data.rows import Rows, describe_place
from training.data.sources import load_source
from training.errors import DataError
from training.reading import Reading
from training.teachers.answers import FORMS, PREFIXES, AnswerReader, BadAnswer
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

    def judge(
        self, texts: Sequence[str], *, labels: Sequence[str], task: Task, column: str = "text"
    ) -> Verdicts:
        """Return the verdicts of the file, whatever the texts; see Teacher."""
        reading = Reading(encoding=self.reading.encoding, separator=self.reading.separator)
        source = load_source(self.source, config=None, revision=None, reading=reading)
        reader = AnswerReader(labels, task)
        found: dict[str, np.ndarray] = {}
        faults: list[str] = []
        notes, count = list(source.notes), 0
        for split, rows in source.splits.items():
            notes += note_unreadable(split, rows, skip=self.reading.skip_unusable)
            columns = Columns.find(rows, labels, split=split, text=column, reading=self.reading)
            for number, (text, answer) in enumerate(columns.read(rows, split=split)):
                count += 1
                try:
                    _check_text(text)
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


@dataclass(frozen=True)
class Columns:
    """The columns of a split.

    Args:
        text: Column of the text.
        verdicts: Columns of the verdict, by the name under which it is read.
    """

    text: str
    verdicts: dict[str, str]

    @classmethod
    def find(
        cls, rows: Rows, labels: Sequence[str], *, split: str, text: str, reading: Reading
    ) -> "Columns":
        """Return the columns of a split.

        Args:
            rows: The rows.
            labels: Labels of the data; they name columns where each of them has one.
            split: Name of the split.
            text: Name of the text column of the data.
            reading: What the user names.

        Raises:
            DataError: The text cannot be found, or there is no verdict.
        """
        given = rows.features
        found = {name: name for prefix in PREFIXES for name in (prefix + f for f in FORMS)}
        for prefix in PREFIXES:
            by_label = {prefix + label: prefix + label for label in labels}
            if by_label.keys() <= given.keys():
                found |= by_label
        if reading.label_column is not None:
            found["label"] = reading.label_column
        verdicts = {name: column for name, column in found.items() if column in given}
        if not verdicts:
            raise DataError(
                f"split {split!r} of the teacher holds no verdicts; its columns are: "
                f"{', '.join(given)}; docs/training.md says how a verdict is written"
            )
        taken = set(verdicts.values())
        chosen = next(
            (name for name in (reading.text_column, text) if name in given and name not in taken),
            None,
        )
        others = {name: kind for name, kind in given.items() if name not in taken}
        return cls(chosen or find_text(others), verdicts)

    def read(self, rows: Rows, *, split: str) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yield the text and the answer of each row."""
        columns = {
            name: _read_named(rows, column, split=split) for name, column in self.verdicts.items()
        }
        for place, each in enumerate(read_column(rows, self.text, split=split)):
            yield each, {name: values[place] for name, values in columns.items()}


def _check_text(text: Any) -> None:
    """Raise BadAnswer if a text cannot be learned from."""
    blank = isinstance(text, str) and not text.strip()
    if (fault := describe_no_text(None if blank else text)) is not None:
        raise BadAnswer(f"the text {fault}")


def _read_named(rows: Rows, column: str, *, split: str) -> list[Any]:
    """Return the values of a column, with names in place of the numbers of declared classes."""
    values, declared = read_column(rows, column, split=split), class_names(rows.features[column])
    if declared is None:
        return values
    known = range(len(declared))
    return [declared[value] if value in known else None for value in values]
