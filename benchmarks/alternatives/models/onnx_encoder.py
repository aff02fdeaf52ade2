"""A transformer in ONNX Runtime, which reads one text at a time with one thread."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

LONGEST = 256  # tokens; all-MiniLM-L6-v2 cuts longer texts
NETWORK, TOKENIZER = "model.onnx", "tokenizer.json"


class OnnxEncoder:
    """A network and its tokenizer.

    Texts are never read together. The scales of int8 would depend on their company.

    Args:
        folder: It holds both.
    """

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / NETWORK), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [given.name for given in self._session.get_inputs()]
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    def run(self, text: str) -> NDArray[np.float32]:
        """Return the first output of the network for a text."""
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        (output, *_) = self._session.run(None, {name: given[name] for name in self._inputs})
        return np.asarray(output[0], np.float32)

    def embed(self, text: str) -> NDArray[np.float32]:
        """Return the mean of the vectors of a text's tokens, of length one."""
        mean = self.run(text).mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)
