"""Embeds texts by a sentence encoder, in parts that are kept: a stop costs one part at most."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.console import console
from training.errors import TrainingError
from training.vectors.source import VectorSource
from training.workspace.atomic import save_array

PART = 2_048  # texts
FOLDER = "vectors"


def embed_texts(source: VectorSource, texts: Sequence[str], *, folder: Path) -> NDArray[np.float32]:
    """Return the vectors of texts, each of length 1, shape (texts, width).

    Args:
        source: The encoder.
        texts: The texts.
        folder: Where parts are kept, found again by the content of their texts.

    Raises:
        TrainingError: A kept part is broken.
    """
    parts = [texts[start : start + PART] for start in range(0, len(texts), PART)]
    watched = console.track(parts, f"embedding {len(texts):,} texts")
    found = [_find_part(source, part, folder=folder) for part in watched]
    vectors = np.concatenate(found).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-12)


def _find_part(source: VectorSource, texts: Sequence[str], *, folder: Path) -> NDArray[np.float16]:
    digest = hashlib.sha256(source.record.sha256.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    path = folder / FOLDER / f"{digest.hexdigest()[:32]}.npy"
    if path.is_file():
        return _load(path, rows=len(texts))
    vectors, _ = source.embed(texts)
    kept = vectors.astype(np.float16)  # errors of 0.05 %, where the student errs by 30 %
    save_array(kept, path=path)
    return kept


def _load(path: Path, *, rows: int) -> NDArray[np.float16]:
    try:
        vectors: NDArray[np.float16] = np.load(path)
        if vectors.ndim != 2 or len(vectors) != rows:
            raise ValueError(f"shape {vectors.shape}")
    except (OSError, EOFError, ValueError) as error:
        raise TrainingError(f"{path} holds no vectors ({error}); delete it") from error
    return vectors
