"""A network that was taught before any label: its words and its weights, without a head."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.tokenizer import Tokenizer
from training.provenance import Provenance

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

    record: Provenance
    tokenizer: Tokenizer
    shape: dict[str, Any]
    embedding: Weights
    layers: tuple[tuple[Weights, ...], ...]

    def fits(self, shape: dict[str, Any]) -> bool:
        """Whether a network of this shape can start from it."""
        return all(shape[name] == value for name, value in self.shape.items())
