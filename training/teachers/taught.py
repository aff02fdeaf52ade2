"""What a teacher says, apart by use: texts to learn from, and the labelled rows that judge it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.golden import Probabilities
from training.console import console
from training.data.splits import LabelledData
from training.data.words import find_key
from training.provenance import Provenance
from training.teachers.verdicts import Teacher, TeacherError, Verdicts


@dataclass(frozen=True, eq=False)
class Taught:
    """What a teacher says of texts to learn from, and of the rows that judge it.

    Args:
        verdicts: Its verdicts on texts that are in no split.
        known: Whether it has a verdict on each row of validation and of test, (rows,); by split.
        judged: The probabilities of these rows, 0 where unknown, (rows, labels); by split.
        record: The teacher, with a hash of all its verdicts.
    """

    verdicts: Verdicts
    known: dict[str, NDArray[np.bool_]]
    judged: dict[str, Probabilities]
    record: Provenance


def ask_teacher(teacher: Teacher, data: LabelledData, texts: Sequence[str]) -> Taught:
    """Return what a teacher says: first of the rows that judge it, then of all other texts.

    A text with the words of a row is that row, so that no row is learned from by another spelling.

    Raises:
        TeacherError: It cannot be asked, or labels no further text.
    """
    judging = {name: split.texts for name, split in data.splits.items() if name != "train"}
    wanted = [text for rows in judging.values() for text in rows]
    wanted += [texts[place] for place in data.find_own(texts)]
    verdicts = teacher.judge(
        list(dict.fromkeys(wanted)), labels=data.labels, task=data.task, column=data.text_column
    )
    console.print_notes(verdicts.notes)
    own = data.find_own(verdicts.texts)
    if len(own) == 0:
        raise TeacherError(f"{verdicts.name} labels no text that is not in the data already")
    known, judged = {}, {}
    for purpose, rows in judging.items():
        found = _find_places(rows, verdicts.texts)
        known[purpose] = found >= 0
        judged[purpose] = verdicts.probabilities[found] * known[purpose][:, None]
    return Taught(verdicts.take(own.tolist()), known, judged, verdicts.record)


def _find_places(rows: Sequence[str], texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each row among texts, -1 where it is not, shape (rows,).

    Where the very text is missing, another spelling of its words counts. Only then: signs between
    words, such as emoji, can decide a label.
    """
    exact = {text: place for place, text in enumerate(texts)}
    alike: dict[str, int] = {}
    for text, place in exact.items():
        alike.setdefault(find_key(text), place)
    found = [exact.get(text, alike.get(find_key(text), -1)) for text in rows]
    return np.array(found, np.int64)


def tell_of_teacher(taught: Taught) -> None:
    """Say what a teacher labels."""
    verdicts = taught.verdicts
    judged = ", ".join(
        f"{known.sum():,} of {len(known):,} rows of {purpose}"
        for purpose, known in taught.known.items()
    )
    console.print(
        f"teacher: {verdicts.name} labels {len(verdicts):,} texts to learn from, and {judged}"
    )
