"""Embeds texts by a sentence encoder, in parts that are kept: a stop costs one part at most."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.console import console
from training.data.digest import digest_texts
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
    parts = _cut(texts)
    watched = console.track(parts, f"embedding {len(texts):,} texts")
    found = [_find_part(source, part, folder=folder) for part in watched]
    vectors = np.concatenate(found).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-12)


def measure_embedding(
    source: VectorSource, texts: Sequence[str], *, folder: Path
) -> tuple[float, int]:
    """Embed one part, keep it, and return the seconds of all others and the width of a vector.

    For the arguments see `embed_texts`. Parts that are kept take no time.
    """
    parts = _cut(texts)
    left = [part for part in parts if not _place(source, part, folder=folder).is_file()]
    started = time.perf_counter()
    vectors = _find_part(source, (left or parts)[0], folder=folder)
    seconds = time.perf_counter() - started
    return seconds * sum(map(len, left[1:])) / len(vectors), vectors.shape[1]


def _cut(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[start : start + PART] for start in range(0, len(texts), PART)]


def _place(source: VectorSource, texts: Sequence[str], *, folder: Path) -> Path:
    """Return the file of the vectors of a part."""
    digest = digest_texts(texts, start=source.record.sha256.encode())
    return folder / FOLDER / f"{digest[:32]}.npy"


def _find_part(source: VectorSource, texts: Sequence[str], *, folder: Path) -> NDArray[np.float16]:
    path = _place(source, texts, folder=folder)
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
