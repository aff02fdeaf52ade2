"""Calls the library with classifiers, texts and states at random.

`python -m tests.service.engines.native.fuzz --calls 1000 --seed 1 --library PATH` makes so many
calls and checks each answer. A library with sanitizers needs theirs preloaded; `python -m
tests.service.engines.native.sanitizers` does that. The last line of standard output is JSON: what
was done, and a digest of all answers, which is the same for all instruction sets.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from models.cells import CellName
from service.engines.native.layout import Precision
from service.engines.native.library import Library
from tests.service.engines.native.fuzz.batches import (
    Batch,
    draw_batch,
    draw_long_batch,
    spoil_ids,
)
from tests.service.engines.native.fuzz.checks import (
    bits_of,
    check,
    check_equations,
    check_other_order,
    check_pieces,
)
from tests.service.engines.native.fuzz.memory import ExactMemory
from tests.service.engines.native.fuzz.reading import Answer, read, refuse
from tests.service.engines.native.fuzz.subjects import Shape, Subject
from tests.service.engines.native.fuzz.words import check_words
from tests.service.engines.native.made_up import VOCABULARY

BATCHES, WIDE_BATCHES = 20, 2  # of a classifier
LONG_EVERY, LONG_TOKENS = 100, 20_000  # classifiers until one has a long text
LONG_READERS: tuple[tuple[CellName, tuple[int, ...], Precision], ...] = (
    ("lstm", (20, 9), "int16"),
    ("gru", (16,), "int8"),
    ("rnn", (12,), "float32"),
)
LONG_SHAPES = tuple(
    Shape(
        cell=cell,
        units=units,
        labels=3,
        exclusive=True,
        ngrams=True,
        precision=precision,
        vocabulary=VOCABULARY,
        kind="usual",
        seed=0,
    )
    for cell, units, precision in LONG_READERS
)


class Fuzzer:
    """Makes calls and counts them.

    Args:
        library: What is called.
        seed: Of everything that is drawn.
        verbose: Whether to name each classifier on standard error before it is used.
    """

    def __init__(self, library: Library, *, seed: int, verbose: bool = False) -> None:
        self.counts: Counter[str] = Counter()
        self._library = library
        self._seed = seed
        self._verbose = verbose
        self._digest = hashlib.sha256()

    def run(self, calls: int, *, first: int = 0) -> None:
        """Make at least so many calls, with classifiers from the number `first` on.

        Raises:
            Fault: An answer is wrong.
        """
        number = first
        while self.counts["calls"] < calls:
            self._use(number)
            number += 1

    def read_long_texts(self, tokens: int) -> None:
        """Read a text of so many tokens with each of three classifiers.

        Raises:
            Fault: An answer is wrong.
        """
        random = np.random.default_rng(self._seed)
        for shape in LONG_SHAPES:
            self._announce("of a long text", shape)
            with ExactMemory() as memory:
                subject = Subject.make(shape, library=self._library, memory=memory)
                self._try_batch(random, subject, draw_long_batch(random, subject, tokens=tokens))

    def summary(self) -> str:
        """Return what was done, as JSON."""
        return json.dumps({**self.counts, "digest": self._digest.hexdigest()[:16]})

    def _use(self, number: int) -> None:
        random = np.random.default_rng([self._seed, number])
        shape = Shape.draw(random)
        self._announce(str(number), shape)
        with ExactMemory() as memory:
            subject = Subject.make(shape, library=self._library, memory=memory)
            for _ in range(WIDE_BATCHES if shape.is_wide else BATCHES):
                self._try_batch(random, subject, draw_batch(random, subject))
            if number % LONG_EVERY == LONG_EVERY - 1 and not shape.is_wide:
                batch = draw_long_batch(random, subject, tokens=LONG_TOKENS)
                self._try_batch(random, subject, batch)
            self.counts["encoded"] += check_words(random, self._library, memory)
            if shape.kind == "usual":
                self.counts["calls"] += 1
                check_equations(subject, draw_batch(random, subject))

    def _announce(self, name: str, shape: Shape) -> None:
        self.counts["classifiers"] += 1
        if self._verbose:
            sys.stderr.write(f"classifier {name}: {shape}\n")
            sys.stderr.flush()

    def _try_batch(self, random: np.random.Generator, subject: Subject, batch: Batch) -> None:
        answer = read(subject, batch)
        check(subject, batch, answer)
        self._count(answer)
        self.counts["calls"] += 1
        self.counts["tokens"] += batch.tokens
        self.counts["hostile"] += int(batch.hostile.sum())
        kind = random.random()
        if kind < 0.2:
            self.counts["calls"] += 1
            check_other_order(random, subject, batch, answer)
        elif kind < 0.3:
            self.counts["calls"] += 2
            check_pieces(random, subject, batch, answer)
        elif kind < 0.4 and (spoilt := spoil_ids(random, subject, batch)) is not None:
            self.counts["calls"] += 1
            self.counts["refused"] += 1
            refuse(subject, spoilt)

    def _count(self, answer: Answer) -> None:
        for array in (*answer.probabilities, answer.after, *(answer.gates or [])):
            if array is not None:
                self._digest.update(bits_of(array).tobytes())


def main() -> int:
    """Fuzz; return the exit status."""
    parser = argparse.ArgumentParser(description="Call the native library at random.")
    parser.add_argument("--library", type=Path, required=True, help="the shared library")
    parser.add_argument("--calls", type=int, default=1_000, help="how many at least")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn")
    parser.add_argument("--first", type=int, default=0, help="number of the first classifier")
    parser.add_argument("--long-text", type=int, default=0, help="tokens of three more texts")
    parser.add_argument("--verbose", action="store_true", help="name classifiers before their use")
    asked = parser.parse_args()
    fuzzer = Fuzzer(Library(asked.library), seed=asked.seed, verbose=asked.verbose)
    fuzzer.run(asked.calls, first=asked.first)
    if asked.long_text:
        fuzzer.read_long_texts(asked.long_text)
    sys.stdout.write(fuzzer.summary() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
