"""Teaches a network from texts alone: an encoder's vectors of the words, then of the texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from models.batching import Row
from models.golden import Probabilities
from models.tokenizer import Tokenizer
from training.console import console
from training.fitting.observer import Observer
from training.network.build import build_network
from training.recipe.language_model import Encoder
from training.recipe.sentences import Lesson, teach
from training.recipe.teacher_vectors import embed_texts
from training.recipe.warm_start import Start
from training.settings import NetworkSettings, TeachSettings
from training.vectors.source import VectorSource
from training.vectors.table import make_table
from training.workspace.checkpoint import Checkpoint

FOLDER = "encoders"  # of the vectors of texts and the encoders, in the folder of work


@dataclass(frozen=True)
class Corpus:
    """Texts as a network reads them.

    Args:
        texts: The texts.
        rows: Ids of each.
        tokenizer: The vocabulary of the ids.
        verdicts: A classifier's probabilities of each, shape (texts, labels); None without one.
    """

    texts: Sequence[str]
    rows: Sequence[Row]
    tokenizer: Tokenizer
    verdicts: Probabilities | None = None


def learn_from_encoder(
    teacher: VectorSource,
    corpus: Corpus,
    *,
    shape: NetworkSettings,
    settings: TeachSettings,
    work: Path,
    checkpoint: Checkpoint,
    observers: Sequence[Observer] = (),
    known: Start | None = None,
) -> Encoder:
    """Return embedding and layers of a network that a sentence encoder has taught.

    Args:
        teacher: The encoder.
        corpus: The texts that it teaches with.
        shape: Shape of the network.
        settings: How it is taught.
        work: Folder in which the vectors of the texts are kept.
        checkpoint: Where the fit is kept; it is resumed if it holds something.
        observers: Hear of every step and epoch.
        known: The network to start from; None to start from the encoder's vectors of the words.

    Raises:
        TrainingError: There are too few texts, or the loss is no longer a number.
        Interrupted: A signal asked for the end; the checkpoint is saved.
    """
    tokenizer = corpus.tokenizer
    lesson = Lesson(embed_texts(teacher, corpus.texts, folder=work / FOLDER), corpus.verdicts)
    network = build_network(
        shape, vocabulary=len(tokenizer), labels=lesson.targets.shape[1], seed=settings.seed
    )
    if known is not None:
        known.give_to(network, tokenizer=tokenizer, labels=())
    else:
        with console.status("embedding the vocabulary"):
            words = make_table(teacher, tokenizer.tokens, width=shape.embedding, seed=settings.seed)
        network.get_layer("embedding").set_weights([words.table])
    keras.utils.set_random_seed(settings.seed)
    return teach(
        corpus.rows,
        lesson,
        network=network,
        settings=settings,
        checkpoint=checkpoint,
        observers=observers,
    )
