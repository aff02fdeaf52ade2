"""Teaches a network from texts alone and writes it to a folder: all steps in order."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.console import console
from training.data.unlabeled import read_corpus, shorten_name
from training.data.vocabulary import learn_vocabulary
from training.errors import TrainingError
from training.fitting.observer import Observer
from training.pretrained.files import check_folder, save_pretrained
from training.pretrained.network import Pretrained
from training.reading import Reading
from training.recipe.teaching import FOLDER, Corpus, learn_from_encoder
from training.run import start_repeatably
from training.settings import SHAPE, NetworkSettings, TeachSettings
from training.tracking.progress import FitProgress
from training.vectors.record import VectorRecord, VectorSource
from training.workspace.checkpoint import Checkpoint
from training.workspace.lock import lock


@dataclass(frozen=True, kw_only=True)
class Course:
    """What a network is taught.

    Args:
        texts: Dataset of the texts.
        reading: How it is to be read.
        most_texts: Texts that are taken, from the first on.
        longest: Words of a text; longer ones are left out.
        vocabulary: Largest vocabulary of these texts.
        network: Shape of the network, and the noise in its fit.
        settings: How it is taught.
        license: Terms of the result, in words; None where none are named.
    """

    texts: str
    reading: Reading
    most_texts: int
    longest: int
    vocabulary: int
    network: NetworkSettings
    settings: TeachSettings
    license: str | None = None

    def identify(self, teacher: VectorSource, texts: Sequence[str]) -> dict[str, Any]:
        """Return all that decides the result, for its checkpoint."""
        digest = hashlib.sha256()
        for text in texts:
            digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
        return {
            "teacher": teacher.record.sha256,
            "texts": digest.hexdigest(),
            "vocabulary": self.vocabulary,
            "network": vars(self.network),
            "settings": vars(self.settings),
        }


def teach_network(
    course: Course, teacher: VectorSource, *, folder: Path, work: Path, resume: bool
) -> Path:
    """Teach a network what an encoder makes of texts; return the file that holds it.

    Args:
        course: What it is taught.
        teacher: The encoder.
        folder: Where the network goes.
        work: Folder of the vectors of the texts and of the checkpoint.
        resume: Whether to resume from the checkpoint.

    Raises:
        TrainingError: The texts cannot be read or are too few, or another teaching writes there.
        Interrupted: A signal asked for the end; the checkpoint is saved.
    """
    texts = _read(course)
    with console.status("learning the vocabulary"):
        tokenizer = learn_vocabulary(texts, size=course.vocabulary)
    console.print(f"vocabulary: {len(tokenizer):,} tokens")
    check_folder(folder, tokenizer)
    address = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    place = work / FOLDER / f"teach-{address}-{course.network.cell}.npz"
    identity = course.identify(teacher, texts)
    start_repeatably(course.settings.seed)
    observers: list[Observer] = [FitProgress(name="teaching the network")]
    with lock(place.with_suffix(".lock"), busy=f"another teaching writes {place}"):
        checkpoint = Checkpoint(place, identity=identity, resume=resume)
        encoder = learn_from_encoder(
            teacher,
            Corpus(texts, tokenizer.encode_batch(texts), tokenizer),
            shape=course.network,
            settings=course.settings,
            work=work,
            checkpoint=checkpoint,
            observers=observers,
        )
        record = VectorRecord(
            name=folder.resolve().name, revision=None, sha256="", license=course.license
        )
        network = Pretrained(
            record=record,
            tokenizer=tokenizer,
            shape={name: getattr(course.network, name) for name in SHAPE},
            embedding=encoder.embedding,
            layers=encoder.layers,
        )
        notes = {
            "teacher": teacher.record.title,
            "teacher_sha256": teacher.record.sha256,
            "texts": f"{len(texts):,} of {shorten_name(course.texts)}",
        }
        path = save_pretrained(network, folder, notes=notes)
        checkpoint.delete()
    console.print(f"taught by {teacher.record.name} on {len(texts):,} texts; written to {path}")
    return path


def _read(course: Course) -> list[str]:
    """Return the texts that are taken."""
    with console.status("reading the texts"):
        found = read_corpus(course.texts, reading=course.reading)
    short = [text for text in found if len(text.split()) <= course.longest]
    taken = short[: course.most_texts]
    if not taken:
        raise TrainingError(
            f"all {len(found):,} texts have more than {course.longest} words; raise --longest"
        )
    longer = len(found) - len(short)
    console.print(
        f"texts: {len(taken):,} of {len(found):,}; {longer:,} have more than {course.longest} words"
    )
    return taken
