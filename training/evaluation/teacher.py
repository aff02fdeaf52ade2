"""A published version as a teacher."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.golden import Probabilities
from models.metadata import Task, digest_file
from models.versions import METADATA, Version
from training.console import console
from training.replay import draw_timed, replay
from training.teachers.verdicts import TeacherCost, TeacherError, Verdicts, match_labels


@dataclass(frozen=True)
class PublishedTeacher:
    """A version of the store."""

    version: Version
    has_texts = False

    def judge(
        self, texts: Sequence[str], *, labels: Sequence[str], task: Task, column: str = ""
    ) -> Verdicts:
        """See Teacher."""
        name, known = self.version.reference, self.version.metadata
        if known.task != task:
            raise TeacherError(
                f"--teacher {name} gives {_TASKS[known.task]}, the data {_TASKS[task]}"
            )
        places = match_labels(known.labels, labels, teacher=name)
        probabilities, milliseconds = ask_version(self.version, texts)
        size = sum(path.stat().st_size for path in self.version.path.rglob("*") if path.is_file())
        return Verdicts(
            name=name,
            texts=texts,
            probabilities=probabilities[:, places],
            cost=TeacherCost(milliseconds=milliseconds, megabytes=size / 1e6),
        )


_TASKS = {"single_label": "one label per text", "multi_label": "any number of labels per text"}


def ask_version(version: Version, texts: Sequence[str]) -> tuple[Probabilities, float]:
    """Return what the service would answer, shape (texts, labels), and the milliseconds of a text.

    Raises:
        ExportError: The version cannot be run.
    """
    console.print(f"teacher: {version.reference} labels {len(texts):,} texts")
    ids = version.tokenizer.encode_batch(texts)
    answered = replay(version.path, ids, engine="onnx", timed=draw_timed(len(ids)))
    return answered.probabilities, answered.median_milliseconds


def identify(version: Version) -> str:
    """Return a hash of all files of a version."""
    return digest_file(version.path / METADATA)
