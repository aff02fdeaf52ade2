"""The texts that are asked: sentences of SST-2, reviews of IMDB, long documents, and a mix."""

from dataclasses import dataclass
from pathlib import Path

import datasets

from benchmarks.fleet.traffic import Lengths
from models.tokenizer import Tokenizer

TEXTS = 1_000
REVIEWS_A_DOCUMENT = 8  # about 2,000 tokens
DOCUMENT_SHARE = 0.1


@dataclass(frozen=True)
class Texts:
    """Texts, each as likely as any other.

    Args:
        texts: The texts.
        lengths: Tokens and characters of each.
    """

    texts: list[str]
    lengths: Lengths


def load_texts(data: Path, tokenizer: Tokenizer) -> dict[str, Texts]:
    """Return the texts of each kind.

    Args:
        data: Folder with the folders `sst2` and `imdb`, which `datasets` can load.
        tokenizer: Counts tokens.
    """
    sentences = _draw(data / "sst2", "sentence", "train", TEXTS)
    reviews = _draw(data / "imdb", "text", "test", TEXTS * 2)
    reviews, more = reviews[:TEXTS], reviews[TEXTS:]
    documents = [
        " ".join(more[start : start + REVIEWS_A_DOCUMENT])
        for start in range(0, round(TEXTS * DOCUMENT_SHARE))
    ]
    mix = sentences[: TEXTS - len(documents)] + documents
    kinds = {"sentences": sentences, "reviews": reviews, "documents": documents, "mix": mix}
    return {
        kind: Texts(texts, [(len(tokenizer.encode(text)), len(text)) for text in texts])
        for kind, texts in kinds.items()
    }


def _draw(path: Path, column: str, split: str, count: int) -> list[str]:
    rows = datasets.load_dataset(str(path), split=split).shuffle(seed=0)
    return [str(text) for text in rows.select(range(count))[column]]
