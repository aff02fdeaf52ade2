"""A sentence encoder as it is, with a logistic regression on its vectors."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.alternatives.models.choosing import choose, tell
from benchmarks.alternatives.models.onnx_encoder import NETWORK, TOKENIZER, OnnxEncoder
from benchmarks.alternatives.models.protocol import Fitted, Verdict
from benchmarks.alternatives.models.quantizing import quantize
from benchmarks.alternatives.models.rows import Splits

STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1_000.0)  # C of the logistic regression
CHUNK = 1_000  # texts; their vectors are kept, so that an end does not lose them
HEAD = "head.npz"


class FrozenEncoder:
    """An encoder and its classifier of two labels.

    Args:
        encoder: The encoder.
        weights: Weight of each dimension for the second label, shape (width,).
        bias: Log-odds of the second label at the origin.
    """

    def __init__(self, encoder: OnnxEncoder, *, weights: NDArray[np.float64], bias: float) -> None:
        self._encoder, self._weights, self._bias = encoder, weights, bias

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """Return the label of each text."""
        return [self._classify(text) for text in texts]

    def _classify(self, text: str) -> Verdict:
        odds = float(self._encoder.embed(text) @ self._weights) + self._bias
        return int(odds > 0), float(1 / (1 + np.exp(-abs(odds))))


def fit(splits: Splits, folder: Path, *, source: Path | None) -> Fitted:
    """See Alternative; `source` is the folder of the encoder."""
    from sklearn.linear_model import LogisticRegression  # which serving does without

    if source is None:
        raise ValueError("this takes the folder of an encoder")
    shutil.copy(source / TOKENIZER, folder / TOKENIZER)
    if not (folder / NETWORK).exists():  # else vectors of an earlier run may be there
        quantize(source / NETWORK, folder / NETWORK)
    encoder = OnnxEncoder(folder)
    train, held = (
        embed(encoder, rows.texts, folder=folder / f"vectors-{name}", name=name)
        for name, rows in (("train", splits.train), ("validation", splits.validation))
    )

    def candidates() -> Iterator[tuple[str, LogisticRegression]]:
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=2_000)
            yield f"C={strength:g}", model.fit(train, splits.train.labels)

    best = choose(
        candidates(), measure=lambda model: float(model.score(held, splits.validation.labels))
    )
    np.savez(folder / HEAD, weights=best.model.coef_[0], bias=best.model.intercept_[0])
    return Fitted(best.settings, best.accuracies)


def load(folder: Path) -> FrozenEncoder:
    """See Alternative."""
    with np.load(folder / HEAD) as head:
        return FrozenEncoder(OnnxEncoder(folder), weights=head["weights"], bias=float(head["bias"]))


def embed(
    encoder: OnnxEncoder, texts: Sequence[str], *, folder: Path, name: str
) -> NDArray[np.float32]:
    """Return vectors of texts, shape (texts, width); those in the folder are not made again."""
    folder.mkdir(exist_ok=True)
    parts = []
    for start in range(0, len(texts), CHUNK):
        path = folder / f"{start}.npy"
        if not path.exists():
            chunk = np.stack([encoder.embed(text) for text in texts[start : start + CHUNK]])
            part = path.with_suffix(".part.npy")
            np.save(part, chunk)
            part.replace(path)
            tell(f"{name}: {start + len(chunk):,} of {len(texts):,} texts embedded")
        parts.append(np.load(path))
    return np.concatenate(parts)
