"""Cuts long texts into sentences, for `teach` and for teachers that label short texts.

    python -m benchmarks.sentences --texts ../shared/data/imdb:unsupervised --most 200000 --out FILE

The file is JSONL with the one column `text`. Sentences are drawn by a seed, each once.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from training.data.unlabeled import read_corpus
from training.reading import Reading

BREAK = re.compile(r"(?:<br\s*/?>|\s*\n)+")
END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")


def cut(text: str) -> Iterator[str]:
    """Yield the sentences of a text."""
    for paragraph in BREAK.split(text):
        yield from filter(None, (sentence.strip() for sentence in END.split(paragraph)))


def main(
    *,
    texts: Annotated[list[str], typer.Option(help="Dataset, or DATASET:SPLIT.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    most: Annotated[int, typer.Option(help="Sentences to draw at most.")] = 200_000,
    shortest: Annotated[int, typer.Option(help="Shortest sentence (words).")] = 3,
    longest: Annotated[int, typer.Option(help="Longest sentence (words).")] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 1,
) -> None:
    """Write the sentences of long texts."""
    read = (text for name in texts for text in read_corpus(name, reading=Reading()))
    found = dict.fromkeys(
        sentence
        for text in read
        for sentence in cut(text)
        if shortest <= len(sentence.split()) <= longest
    )
    sentences = list(found)
    drawn = np.random.default_rng(seed).permutation(len(sentences))[:most]
    with out.open("w", encoding="utf-8") as file:
        for place in drawn:
            file.write(json.dumps({"text": sentences[place]}, ensure_ascii=False) + "\n")
    typer.echo(f"{len(drawn):,} of {len(sentences):,} sentences written to {out}")


if __name__ == "__main__":
    typer.run(main)
