"""Makes small pretrained networks."""

from typing import Any

import numpy as np

from models.cells import CELLS
from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer
from training.pretrained.network import Pretrained
from training.provenance import Provenance

TOKENS = [PAD_TOKEN, UNKNOWN_TOKEN, "good", "bad", "film", "the", "was", "b", "##o", "##k"]


def make_pretrained(cell: str = "gru", *, tokens: list[str] | None = None) -> Pretrained:
    """Return a network of random weights with 3 units and an embedding of 4."""
    random = np.random.default_rng(0)
    tokenizer = Tokenizer(tokens or TOKENS)
    units, width, parts = 3, 4, CELLS[cell]
    columns = parts.blocks * units
    bias = (parts.biases, columns) if parts.biases > 1 else (columns,)
    shapes: list[Any] = [(width, columns), (units, columns), bias]
    return Pretrained(
        record=Provenance(name="mine", revision=None, sha256="", license="mit"),
        tokenizer=tokenizer,
        shape={"cell": cell, "layers": 1, "units": units, "embedding": width},
        embedding=random.normal(size=(len(tokenizer), width)).astype(np.float32),
        layers=(tuple(random.normal(size=each).astype(np.float32) for each in shapes),),
    )
