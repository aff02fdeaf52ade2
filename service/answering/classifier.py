"""One loaded version: text in, ids out; probabilities in, a prediction out."""

import hashlib
from functools import cached_property
from typing import Any

from models.golden import Probabilities
from models.metadata import Metadata
from models.ngrams import NgramLookup
from models.tokenizer import Offsets
from models.versions import Version
from service.engines.cost import Cost, measure_cost
from service.engines.gates import Layers
from service.engines.protocol import Engine
from service.web.schemas import Answer, MultiLabelPrediction, Prediction

DECIMALS = 7  # of a probability; what a 32-bit float has


class Classifier:
    """Knows everything that answering with one version needs, and computes nothing itself.

    Args:
        version: The version, verified.
        engine: What computes it.
    """

    def __init__(self, version: Version, *, engine: Engine) -> None:
        self.metadata = version.metadata
        self.engine = engine
        self.cost: Cost = measure_cost(engine, version.metadata.state)
        self._version = version
        self._tokenizer = version.tokenizer

    @property
    def sliced(self) -> bool:
        """Whether a text can be read in slices."""
        return bool(self.metadata.state)

    @property
    def reference(self) -> str:
        """The version as name:number."""
        return f"{self.metadata.name}:{self.metadata.version}"

    @cached_property
    def digest(self) -> str:
        """Digest of the metadata, and by that of the weights, whose hashes stand in it."""
        return hashlib.sha256(self.metadata.model_dump_json().encode()).hexdigest()[:16]

    @cached_property
    def layers(self) -> Layers:
        """The recurrent layers in NumPy; raises NoWeights."""
        return Layers.of(self._version)

    @cached_property
    def ngram_lookup(self) -> NgramLookup | None:
        """The table of n-grams, to be asked without the network; None where it cannot be."""
        return NgramLookup.of(self._version)

    def split_open(self, text: str) -> tuple[str, str]:
        """Return the text up to where more text may still change its tokens, and the rest."""
        return self._tokenizer.split_open(text)

    def encode_with_offsets(self, text: str) -> tuple[list[int], Offsets]:
        """Return the ids of a text and the characters of each."""
        return self._tokenizer.encode_with_offsets(text)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text."""
        return self._tokenizer.encode(text)

    def describe(
        self, probabilities: Probabilities, *, tokens: int, top_k: int | None = None
    ) -> Answer:
        """Return what the probabilities of one text mean; see the function."""
        return describe(probabilities, self.metadata, tokens=tokens, top_k=top_k)


def describe(
    probabilities: Probabilities, metadata: Metadata, *, tokens: int, top_k: int | None
) -> Answer:
    """Return what the probabilities of one text, shape (labels,), mean.

    Args:
        probabilities: Of each label.
        metadata: Of the version that gave them.
        tokens: Tokens of the text.
        top_k: Number of probabilities to give, highest first; None for all.
    """
    values = [round(value, DECIMALS) for value in probabilities.tolist()]
    order = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    labels = metadata.labels
    common: dict[str, Any] = {
        "probabilities": {labels[index]: values[index] for index in order[:top_k]},
        "model": metadata.name,
        "version": metadata.version,
        "tokens": tokens,
    }
    if metadata.thresholds is not None:
        reached = [i for i in order if values[i] >= metadata.thresholds[i]]
        return MultiLabelPrediction(labels=[labels[i] for i in reached], **common)
    best = order[0]
    return Prediction(label=labels[best], score=values[best], **common)
