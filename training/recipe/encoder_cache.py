"""Keeps pretrained encoders for later trainings on the same texts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from training.console import console
from training.errors import TrainingError
from training.recipe.language_model import Encoder, pretrain
from training.recipe.teaching import FOLDER, Corpus, learn_from_encoder
from training.recipe.warm_start import start_of
from training.run import Run
from training.settings import SHAPE
from training.vectors.source import VectorSource
from training.workspace.atomic import save_arrays
from training.workspace.checkpoint import Checkpoint
from training.workspace.lock import lock

PRETRAINING, TEACHING = "pretraining", "teaching"  # stages, for the observers of a run


def find_encoder(run: Run) -> Encoder:
    """Return the encoder of the corpus of a run: the kept one, or else a new one.

    Raises:
        TrainingError: The fit failed, the file of the encoder is broken, or another training is
            about to write it.
        Interrupted: A signal asked for the end.
    """
    path = _place(run)
    if path.is_file():
        console.print(f"pretrained encoder: {path}")
        return _load(path)
    busy = f"another training learns the same language; wait until it has written {path}"
    with lock(path.with_suffix(".lock"), busy=busy):
        checkpoint = Checkpoint(
            path.with_suffix(".part.npz"), identity=_identify(run), resume=run.resume
        )
        if run.encoder is None:
            encoder, told = _pretrain(run, checkpoint)
        else:
            encoder, told = _teach(run, run.encoder, checkpoint)
        _save(encoder, path)
        checkpoint.delete()
        console.print(f"{told}; kept as {path}")
        return encoder


def is_kept(run: Run) -> bool:
    """Whether the encoder of the corpus of a run is kept."""
    return _place(run).is_file()


def _place(run: Run) -> Path:
    identity = json.dumps(_identify(run), sort_keys=True)
    return run.work / FOLDER / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.npz"


def _pretrain(run: Run, checkpoint: Checkpoint) -> tuple[Encoder, str]:
    """Return the encoder of a new language model, and its worth in words."""
    keras.utils.set_random_seed(run.settings.pretrain.seed)
    encoder = pretrain(
        run.prepared.domain,
        vocabulary=len(run.prepared.tokenizer),
        shape=run.settings.network,
        settings=run.settings.pretrain,
        seed=run.settings.pretrain.seed,
        checkpoint=checkpoint,
        observers=run.observers(PRETRAINING),
    )
    return encoder, f"pretrained encoder: perplexity {encoder.perplexity:,.0f}"


def _teach(run: Run, source: VectorSource, checkpoint: Checkpoint) -> tuple[Encoder, str]:
    """Return what a sentence encoder has taught a new network, and by which texts in words."""
    corpus = corpus_of(run)
    encoder = learn_from_encoder(
        source,
        corpus,
        shape=run.settings.network,
        settings=run.settings.teach,
        work=run.work,
        checkpoint=checkpoint,
        observers=run.observers(TEACHING),
        known=start_of(run.pretrained) if run.pretrained is not None else None,
    )
    return encoder, f"taught by {source.record.name} on {len(corpus.texts):,} texts"


def corpus_of(run: Run) -> Corpus:
    """Return the texts that the encoder of a run teaches with."""
    prepared = run.prepared
    return Corpus(
        [*prepared.domain_texts, *prepared.data.train.texts],
        [*prepared.domain, *prepared.ids["train"]],
        prepared.tokenizer,
    )


def _identify(run: Run) -> Mapping[str, Any]:
    """Return all that decides an encoder: the ids of the texts, the shape, the settings."""
    shape, settings = run.settings.network, run.settings
    of_texts = {
        "corpus": run.prepared.domain_sha256,
        "vocabulary": len(run.prepared.tokenizer),
        **{name: getattr(shape, name) for name in SHAPE},
    }
    if run.encoder is None:
        return of_texts | asdict(settings.pretrain)
    return of_texts | {
        "teacher": run.encoder.record.sha256,
        "train": run.prepared.data.train.sha256,
        "tokenizer": run.prepared.tokenizer.digest,
        "pretrained": run.pretrained.record.sha256 if run.pretrained is not None else None,
        "dropout": [shape.dropout, shape.word_dropout],
        **asdict(settings.teach),
    }


def _save(encoder: Encoder, path: Path) -> None:
    arrays = {"embedding": encoder.embedding, "perplexity": np.array(encoder.perplexity)}
    for index, weights in enumerate(encoder.layers):
        arrays |= {f"layer/{index}/{number}": array for number, array in enumerate(weights)}
    save_arrays(arrays, path=path)


def _load(path: Path) -> Encoder:
    try:
        with path.open("rb") as file, np.load(file) as content:
            names = [name.split("/") for name in content.files if name.startswith("layer/")]
            layers = [
                tuple(
                    content[f"layer/{index}/{number}"]
                    for number in range(sum(name[1] == str(index) for name in names))
                )
                for index in range(len({name[1] for name in names}))
            ]
            return Encoder(content["embedding"], tuple(layers), float(content["perplexity"]))
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
        raise TrainingError(f"{path} is no encoder ({error}); delete it") from error
