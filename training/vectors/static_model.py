"""Vectors of words from a static embedding model: the mean of the vectors of their tokens."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from training.vectors.model_folder import ModelFolder
from training.vectors.source import VectorsError, check_finite


class StaticModel:
    """A table with one vector for each token of a tokenizer, as Model2Vec writes it.

    Raises:
        VectorsError: The files are no such model, or do not fit each other.
    """

    def __init__(self, folder: ModelFolder) -> None:
        self.record = folder.record
        self._tokenizer = open_tokenizer(folder.tokenizer)
        self._table, self._weights, self._rows = _read(folder.weights)
        if len(self._rows) < self._tokenizer.get_vocab_size():
            raise VectorsError(
                f"{folder.weights} has vectors of {len(self._rows):,} tokens, but "
                f"{folder.tokenizer.name} has {self._tokenizer.get_vocab_size():,}: they do not "
                "belong together"
            )
        check_finite(self._table, source=str(folder.weights))

    def embed(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """See VectorSource."""
        found = self._tokenizer.encode_batch(list(words), add_special_tokens=False)
        vectors = np.zeros((len(words), self._table.shape[1]), np.float32)
        known = np.zeros(len(words), bool)
        unknown = self._tokenizer.token_to_id("[UNK]")
        for place, encoding in enumerate(found):
            ids = [id for id in encoding.ids if id != unknown]
            if ids:
                weights = self._weights[ids]
                vectors[place] = weights @ self._table[self._rows[ids]] / len(ids)
                known[place] = True
        return vectors, known


def open_tokenizer(path: Path) -> Tokenizer:
    """Return a tokenizer without padding and cuts; VectorsError if the file is none."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise VectorsError(f"{path} is no tokenizer ({error})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _read(
    path: Path,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return the vectors, and for each token its weight and the row of its vector."""
    try:
        tensors = load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise VectorsError(f"{path} is no file of safetensors ({error})") from error
    table = tensors.get("embeddings", tensors.get("embedding.weight"))
    if table is None or table.ndim != 2:
        raise VectorsError(
            f"{path} has no table 'embeddings' of one vector for each token; "
            f"it has: {', '.join(sorted(tensors)[:5])}"
        )
    rows = tensors.get("mapping", np.arange(len(table))).astype(np.int64)
    weights = tensors.get("weights", np.ones(len(rows))).astype(np.float32)
    if len(weights) != len(rows) or rows.min() < 0 or rows.max() >= len(table):
        raise VectorsError(f"{path}: the rows and weights of its tokens do not fit its vectors")
    return table.astype(np.float32), weights, rows
