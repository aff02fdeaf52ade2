"""One loaded version: text in, ids out; probabilities in, a prediction out."""

import hashlib
from collections.abc import Callable
from functools import cached_property

from models.batching import Row
from models.golden import Probabilities
from models.metadata import Metadata
from models.ngram_lookup import NgramLookup
from models.tokenizer import Offsets
from models.versions import Version
from service.answering.prediction import Answer, make_prediction
from service.engines.gates import Layers
from service.engines.protocol import EncodingEngine, GateEngine
from service.engines.runner import Runner


class Classifier:
    """Knows everything that answering with one version needs, and computes nothing itself.

    Args:
        version: The version, verified.
        runner: What computes it.
    """

    def __init__(self, version: Version, *, runner: Runner) -> None:
        self.metadata: Metadata = version.metadata
        self.runner = runner
        self._version = version
        self._tokenizer = version.tokenizer
        engine = runner.engine
        self._encode: Callable[[str], Row] = (
            engine.make_encoder(self._tokenizer)
            if isinstance(engine, EncodingEngine)
            else self._tokenizer.encode
        )

    @property
    def reference(self) -> str:
        """The version as name:number."""
        return f"{self.metadata.name}:{self.metadata.version}"

    @cached_property
    def digest(self) -> str:
        """Digest of the metadata, and by that of the weights, whose hashes stand in it."""
        return hashlib.sha256(self.metadata.model_dump_json().encode()).hexdigest()[:16]

    @property
    def normalization(self) -> int:
        """Number of the tokenizer's normalisation."""
        return self._tokenizer.normalization

    @cached_property
    def gate_engine(self) -> GateEngine:
        """What shows the gates: the engine, or else NumPy; raises NoWeights."""
        engine = self.runner.engine
        return engine if isinstance(engine, GateEngine) else Layers.of(self._version)

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

    def encode(self, text: str) -> Row:
        """Return the ids of a text."""
        return self._encode(text)

    def predict(
        self, probabilities: Probabilities, *, tokens: int, top_k: int | None = None
    ) -> Answer:
        """Return what the probabilities of one text mean; see `make_prediction`."""
        return make_prediction(probabilities, self.metadata, tokens=tokens, top_k=top_k)
