"""Teaches a network from texts alone and writes it to a folder: all steps in order."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.versions import Version
from training.console import console
from training.data.digest import digest_texts
from training.data.unlabeled import read_corpus, shorten_name
from training.data.vocabulary import learn_vocabulary
from training.errors import TrainingError
from training.evaluation.teacher import ask_version, identify
from training.fitting.observer import Observer
from training.pretrained.files import check_folder, save_pretrained
from training.pretrained.network import Pretrained
from training.provenance import Provenance
from training.reading import Reading
from training.recipe.teaching import FOLDER, Corpus, learn_from_encoder
from training.run import start_repeatably
from training.settings import SHAPE, NetworkSettings, TeachSettings
from training.tracking.progress import FitProgress
from training.vectors.source import VectorSource
from training.workspace.checkpoint import Checkpoint
from training.workspace.lock import lock


@dataclass(frozen=True, kw_only=True)
class Course:
    """What a network is taught.

    Args:
        texts: Datasets of the texts.
        reading: How they are to be read.
        most_texts: Texts of each that are taken, from the first on.
        longest: Words of a text; longer ones are left out.
        vocabulary: Largest vocabulary of these texts.
        network: Shape of the network, and the noise in its fit.
        settings: How it is taught.
        license: Terms of the result, in words; None where none are named.
        classifier: A version whose probabilities it learns beside the encoder's vectors.
    """

    texts: Sequence[str]
    reading: Reading
    most_texts: int
    longest: int
    vocabulary: int
    network: NetworkSettings
    settings: TeachSettings
    license: str | None = None
    classifier: Version | None = None

    def identify(self, teacher: VectorSource, texts: Sequence[str]) -> dict[str, Any]:
        """Return all that decides the result, for its checkpoint."""
        return {
            "teacher": teacher.record.sha256,
            "texts": digest_texts(texts),
            "vocabulary": self.vocabulary,
            "network": vars(self.network),
            "settings": vars(self.settings),
            "classifier": identify(self.classifier) if self.classifier else None,
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
    classifier = course.classifier
    verdicts = ask_version(classifier, texts)[0] if classifier is not None else None
    start_repeatably(course.settings.seed)
    observers: list[Observer] = [FitProgress(name="teaching the network")]
    with lock(place.with_suffix(".lock"), busy=f"another teaching writes {place}"):
        checkpoint = Checkpoint(place, identity=identity, resume=resume)
        encoder = learn_from_encoder(
            teacher,
            Corpus(texts, tokenizer.encode_batch(texts), tokenizer, verdicts),
            shape=course.network,
            settings=course.settings,
            work=work,
            checkpoint=checkpoint,
            observers=observers,
        )
        record = Provenance(
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
            "texts": f"{len(texts):,} of {', '.join(map(shorten_name, course.texts))}",
        }
        if classifier is not None:
            notes["classifier"] = f"{classifier.metadata.name}:{classifier.number}"
        path = save_pretrained(network, folder, notes=notes)
        checkpoint.delete()
    console.print(f"taught by {teacher.record.name} on {len(texts):,} texts; written to {path}")
    return path


def _read(course: Course) -> list[str]:
    """Return the texts that are taken, each once."""
    notices: list[str] = []
    with console.status("reading the texts"):
        found = [
            read_corpus(name, reading=course.reading, notices=notices) for name in course.texts
        ]
    console.print_notes(notices)
    count = sum(map(len, found))
    short = [[text for text in each if len(text.split()) <= course.longest] for each in found]
    taken = list(dict.fromkeys(text for each in short for text in each[: course.most_texts]))
    if not taken:
        raise TrainingError(
            f"all {count:,} texts have more than {course.longest} words; raise --longest"
        )
    longer = count - sum(map(len, short))
    console.print(
        f"texts: {len(taken):,} of {count:,}; {longer:,} have more than {course.longest} words"
    )
    return taken
