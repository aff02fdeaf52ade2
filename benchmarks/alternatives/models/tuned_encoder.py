"""A transformer that was fine-tuned elsewhere; it is only judged and served."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.alternatives.models.onnx_encoder import NETWORK, TOKENIZER, OnnxEncoder
from benchmarks.alternatives.models.protocol import Fitted, Verdict
from benchmarks.alternatives.models.rows import Splits


class TunedEncoder:
    """A network whose output is the logits of the labels."""

    def __init__(self, encoder: OnnxEncoder) -> None:
        self._encoder = encoder

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """Return the label of each text."""
        return [self._classify(text) for text in texts]

    def _classify(self, text: str) -> Verdict:
        logits = self._encoder.run(text)
        weights = np.exp(logits - logits.max())
        return int(logits.argmax()), float(weights.max() / weights.sum())


def fit(splits: Splits, folder: Path, *, source: Path | None) -> Fitted:
    """See Alternative; `source` is the folder of the network."""
    if source is None:
        raise ValueError("this takes the folder of a network")
    for name in (NETWORK, TOKENIZER):
        shutil.copy(source / name, folder / name)
    held = splits.validation
    found = [label for label, _ in load(folder).classify(held.texts)]
    return Fitted("", {"": held.accuracy(found)})


def load(folder: Path) -> TunedEncoder:
    """See Alternative."""
    return TunedEncoder(OnnxEncoder(folder))
