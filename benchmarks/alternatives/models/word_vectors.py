"""fastText: the mean of the vectors of words and bigrams, with a linear classifier.

The vectors have the size that the paper has for sentiment: Joulin et al., "Bag of Tricks for
Efficient Text Classification", EACL 2017. Texts are prepared as in fastText's tutorial.
"""

import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.alternatives.models.choosing import choose
from benchmarks.alternatives.models.protocol import Fitted, Verdict
from benchmarks.alternatives.models.rows import Rows, Splits

WIDTH = 10  # of a vector
SETTINGS = ((5, 0.1), (5, 0.25), (5, 0.5), (10, 0.25), (10, 0.5), (25, 0.5))  # epochs, rate
SEED = 1  # of the order of the rows
LABEL = "__label__"
FILE = "fasttext.bin"
_PUNCTUATION = re.compile(r"([.!?,'/()])")


class WordVectors:
    """A model of fastText."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """Return the label of each text."""
        return [self._classify(text) for text in texts]

    def _classify(self, text: str) -> Verdict:
        (label,), (probability,) = self.model.predict(prepare(text))
        return int(label.removeprefix(LABEL)), float(probability)


def prepare(text: str) -> str:
    """Return a text in lower case on one line, with spaces around punctuation."""
    return " ".join(_PUNCTUATION.sub(r" \1 ", text.lower()).split())


def fit(splits: Splits, folder: Path, *, source: Path | None) -> Fitted:
    """See Alternative."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        _write(splits.train, file)

        def candidates() -> Iterator[tuple[str, WordVectors]]:
            for epochs, rate in SETTINGS:
                yield f"{epochs} epochs, rate {rate}", _train(file.name, epochs, rate)

        best = choose(
            candidates(),
            measure=lambda model: splits.validation.accuracy(
                [label for label, _ in model.classify(splits.validation.texts)]
            ),
        )
    best.model.model.save_model(str(folder / FILE))
    return Fitted(best.settings, best.accuracies)


def load(folder: Path) -> WordVectors:
    """See Alternative."""
    import fasttext

    return WordVectors(fasttext.load_model(str(folder / FILE)))


def _write(rows: Rows, file: Any) -> None:
    """Write a line of label and text for each row; fastText reads them in that order."""
    lines = list(zip(rows.texts, rows.labels, strict=True))
    random.Random(SEED).shuffle(lines)  # rows may be sorted by label
    for text, label in lines:
        file.write(f"{LABEL}{label} {prepare(text)}\n")
    file.flush()


def _train(path: str, epochs: int, rate: float) -> WordVectors:
    import fasttext

    model = fasttext.train_supervised(
        path, wordNgrams=2, dim=WIDTH, epoch=epochs, lr=rate, thread=1, verbose=0
    )
    return WordVectors(model)
