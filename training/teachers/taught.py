"""What a teacher says, apart by use: texts to learn from, and the labelled rows that judge it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.golden import Probabilities
from models.tokenizer import Tokenizer
from training.console import console
from training.data.splits import LabelledData
from training.teachers.verdicts import Teacher, TeacherError, Verdicts


@dataclass(frozen=True, eq=False)
class Taught:
    """What a teacher says of texts to learn from, and of the rows that judge it.

    Args:
        verdicts: Its verdicts on texts that are in no split.
        ids: Ids of these texts.
        known: Whether it has a verdict on each row of validation and of test, (rows,); by split.
        judged: The probabilities of these rows, 0 where unknown, (rows, labels); by split.
    """

    verdicts: Verdicts
    ids: Sequence[Row]
    known: dict[str, NDArray[np.bool_]]
    judged: dict[str, Probabilities]

    @classmethod
    def of(cls, verdicts: Verdicts, data: LabelledData, tokenizer: Tokenizer) -> "Taught":
        """Return the verdicts on texts that are in no split, apart from those on the rows."""
        labelled = {text for split in data.splits.values() for text in split.texts}
        own = [row for row, text in enumerate(verdicts.texts) if text not in labelled]
        places = {text: row for row, text in enumerate(verdicts.texts)}
        known, judged = {}, {}
        for purpose, split in data.splits.items():
            if purpose == "train":
                continue
            found = np.array([places.get(text, -1) for text in split.texts], np.int64)
            known[purpose] = found >= 0
            judged[purpose] = verdicts.probabilities[found] * known[purpose][:, None]
        taught = verdicts.take(own)
        return cls(taught, tokenizer.encode_batch(list(taught.texts)), known, judged)


def ask_teacher(teacher: Teacher, data: LabelledData, texts: Sequence[str]) -> Verdicts:
    """Return what a teacher says: first of the rows that judge it, then of all other texts."""
    judging = (
        text for name, split in data.splits.items() if name != "train" for text in split.texts
    )
    train = set(data.train.texts)
    others = (text for text in texts if text not in train)
    verdicts = teacher.judge(
        list(dict.fromkeys([*judging, *others])), labels=data.labels, task=data.task
    )
    for note in verdicts.notes:
        console.print(f"note: {note}")
    return verdicts


def tell_of_teacher(taught: Taught) -> None:
    """Say what a teacher labels; raise TeacherError if that is nothing."""
    verdicts = taught.verdicts
    if len(verdicts) == 0:
        raise TeacherError(
            f"--teacher {verdicts.name} labels no text that is not in the data already"
        )
    judged = ", ".join(
        f"{known.sum():,} of {len(known):,} rows of {purpose}"
        for purpose, known in taught.known.items()
    )
    console.print(
        f"teacher: {verdicts.name} labels {len(verdicts):,} texts to learn from, and {judged}"
    )
