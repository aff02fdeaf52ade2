"""A network that was taught before any label: its words and its weights, without a head."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.tokenizer import Tokenizer
from training.vectors.record import VectorRecord

Weights = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pretrained:
    """Embedding and recurrent layers that a training starts from.

    Args:
        record: Its name, hash and licence.
        tokenizer: Its vocabulary.
        shape: The settings of the network by name, as in `training.settings.SHAPE`.
        embedding: Shape (vocabulary, width).
        layers: The weights of each recurrent layer, as Keras orders them.
    """

    record: VectorRecord
    tokenizer: Tokenizer
    shape: dict[str, Any]
    embedding: Weights
    layers: tuple[tuple[Weights, ...], ...]

    def fits(self, shape: dict[str, Any]) -> bool:
        """Whether a network of this shape can start from it."""
        return all(shape[name] == value for name, value in self.shape.items())


def find_coverage(tokenizer: Tokenizer, texts: Iterable[str]) -> float:
    """Return the share of the words of texts that are a token each; 0 for texts without words."""
    known = set(tokenizer.tokens)
    found = words = 0
    for text in texts:
        for word in tokenizer.words(text):
            words += 1
            found += word in known
    return found / words if words else 0.0
