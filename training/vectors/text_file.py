"""Reads vectors of words from a text file: GloVe, word2vec, and fastText's .vec."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.tables.decoding import TextFile, digest_of, open_bytes
from models.tables.rows import TableError
from training.provenance import Provenance
from training.vectors.source import VectorsError, check_finite

_BINARY = {
    b"\x80": "a pickle, which can run code and is not read; save its vectors as text",
    b"\xba\x16": "a binary model of fastText; take its .vec file",
}


@dataclass(frozen=True)
class TextVectors:
    """A file with a word and its numbers on each line; a first line of two counts may stand above.

    Args:
        path: The file, which may be compressed by gzip.
        record: Where it comes from.
    """

    path: Path
    record: Provenance

    def embed(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """See VectorSource. Of several lines for a word, the first counts, as it is written.

        Raises:
            VectorsError: A line has another width, or a number that is none.
        """
        wanted: dict[str, list[int]] = {}
        for place, word in enumerate(words):
            wanted.setdefault(word, []).append(place)
        known = np.zeros(len(words), bool)
        vectors: NDArray[np.float32] | None = None
        for line, word, numbers in self._lines():
            if vectors is None:
                vectors = np.zeros((len(words), len(numbers)), np.float32)
            # A vocabulary of small letters takes the vector of a capital where it has no other.
            for spelling in dict.fromkeys((word, word.lower())):
                places = [place for place in wanted.get(spelling, ()) if not known[place]]
                if places:
                    vectors[places] = self._parse(numbers, line)
                    known[places] = spelling == word
        if vectors is None:
            raise VectorsError(f"{self.path} holds no vectors")
        known |= vectors.any(axis=1)
        check_finite(vectors, source=str(self.path))
        return vectors, known

    def _parse(self, numbers: Sequence[str], line: int) -> NDArray[np.float32]:
        try:
            return np.array(numbers, np.float32)
        except ValueError as error:
            raise VectorsError(f"{self.path}, line {line:,}: {error}") from error

    def _lines(self) -> Iterator[tuple[int, str, list[str]]]:
        """Yield the number, the word and the numbers of each line. A word may have spaces."""
        width = 0
        try:
            for line, text in enumerate(TextFile(self.path).lines(), start=1):
                fields = text.rstrip().split(" ")
                if line == 1 and len(fields) == 2:  # the counts of words and numbers
                    width = int(fields[1]) if fields[1].isdecimal() else 0
                    continue
                if len(fields) < 3:
                    raise VectorsError(
                        f"{self.path}, line {line:,}: a word and its numbers are needed, with "
                        "spaces between them"
                    )
                width = width or len(fields) - 1
                word, numbers = fields[:-width], fields[-width:]
                if not word or (len(word) > 1 and _is_number(word[-1])):
                    raise VectorsError(
                        f"{self.path}, line {line:,}: {len(fields) - 1} numbers, where the lines "
                        f"before have {width}"
                    )
                yield line, " ".join(word), numbers
        except TableError as error:
            raise VectorsError(str(error)) from error


def _is_number(field: str) -> bool:
    try:
        return math.isfinite(float(field))  # "nan" and "infinity" are words
    except ValueError:
        return False


def open_text_vectors(path: Path) -> TextVectors:
    """Return the vectors in a text file.

    Raises:
        VectorsError: It is no text.
    """
    with open_bytes(path) as file:
        head = file.read(2)
    for mark, what in _BINARY.items():
        if head.startswith(mark):
            raise VectorsError(f"{path} is {what}")
    record = Provenance(name=path.name, revision=None, sha256=digest_of(path), license=None)
    return TextVectors(path, record)
