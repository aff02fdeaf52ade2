"""Vectors of texts from a sentence encoder in ONNX, pooled as its configuration says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from training.vectors.model_folder import ModelFolder
from training.vectors.source import VectorsError, check_finite
from training.vectors.static_model import open_tokenizer

BATCH = 64
LONGEST = 256  # tokens of a text that are read
_CLS = "pooling_mode_cls_token"


class SentenceEncoder:
    """A transformer that gives one vector for each text.

    Raises:
        VectorsError: The files are no such model.
    """

    def __init__(self, folder: ModelFolder) -> None:
        self.record = folder.record
        self._path = folder.weights
        self._tokenizer = open_tokenizer(folder.tokenizer)
        self._tokenizer.enable_truncation(LONGEST)
        self._takes_first = bool(folder.pooling.get(_CLS))
        self._session = _open_session(folder.weights)
        self._inputs = [given.name for given in self._session.get_inputs()]

    def embed(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """See VectorSource; every text has a vector."""
        encodings = self._tokenizer.encode_batch(list(words))
        order = np.argsort([len(encoding.ids) for encoding in encodings], kind="stable")
        found: list[NDArray[np.float32]] = []
        for start in range(0, len(order), BATCH):
            batch = [encodings[place] for place in order[start : start + BATCH]]
            found.append(self._run(batch))
        vectors = np.concatenate(found)[np.argsort(order, kind="stable")]
        check_finite(vectors, source=str(self._path))
        return vectors, np.ones(len(words), bool)

    def _run(self, encodings: Sequence[Any]) -> NDArray[np.float32]:
        """Return the pooled vectors of one batch, shape (texts, width)."""
        longest = max(1, *(len(encoding.ids) for encoding in encodings))
        ids = np.zeros((len(encodings), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        try:
            (states, *_) = self._session.run(None, {name: given[name] for name in self._inputs})
        except Exception as error:  # the runtime raises nothing more precise
            raise VectorsError(
                f"{self._path} cannot read the tokens of tokenizer.json: {error}"
            ) from error
        if states.ndim == 2:  # pooled inside the network
            return np.asarray(states, np.float32)
        if self._takes_first:
            return np.asarray(states[:, 0], np.float32)
        weights = mask[:, :, None].astype(np.float32)
        return np.asarray((states * weights).sum(axis=1) / weights.sum(axis=1), np.float32)


def _open_session(path: Path) -> onnxruntime.InferenceSession:
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises nothing more precise
        raise VectorsError(f"{path} is no ONNX network ({error})") from error
    strange = {given.name for given in session.get_inputs()} - {
        "input_ids",
        "attention_mask",
        "token_type_ids",
    }
    if strange:
        raise VectorsError(f"{path} is no encoder of texts: it asks for {', '.join(strange)}")
    return session
