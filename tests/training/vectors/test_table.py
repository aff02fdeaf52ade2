"""Vectors become the embedding of a vocabulary, whatever their width and their gaps."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN
from training.provenance import Provenance
from training.vectors.source import VectorsError
from training.vectors.table import DEVIATION, WordVectors, make_table

WORDS = [f"w{number}ord" for number in range(60)]


class Fixed:
    """A source that knows some words."""

    record = Provenance(name="fixed", revision=None, sha256="0" * 64, license=None)

    def __init__(self, vectors: dict[str, NDArray[np.float32]]) -> None:
        self._vectors = vectors
        self._width = len(next(iter(vectors.values())))

    def embed(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        nothing = np.zeros(self._width, np.float32)
        found = np.stack([self._vectors.get(word, nothing) for word in words])
        return found, np.array([word in self._vectors for word in words])


def make(words: Sequence[str], *, known: int, source_width: int, width: int = 16) -> WordVectors:
    random = np.random.default_rng(0)
    vectors = {
        word: random.normal(3.0, 2.0, source_width).astype(np.float32) for word in words[:known]
    }
    return make_table(Fixed(vectors), [PAD_TOKEN, UNKNOWN_TOKEN, *words], width=width, seed=1)


@pytest.mark.parametrize("source_width", [3, 16, 40])
def test_shape_and_scale(source_width: int) -> None:
    found = make(WORDS, known=60, source_width=source_width)
    assert found.table.shape == (62, 16)
    assert found.table.dtype == np.float32
    assert not found.table[:2].any()
    filled = found.table[2:, : min(source_width, 16)]
    assert filled.std() == pytest.approx(DEVIATION, rel=1e-3)
    np.testing.assert_allclose(filled.mean(axis=0), 0, atol=1e-5)


def test_near_words_stay_near() -> None:
    random = np.random.default_rng(1)
    centres = random.normal(size=(2, 300)) * 3
    vectors = {
        word: (centres[place % 2] + random.normal(size=300)).astype(np.float32)
        for place, word in enumerate(WORDS)
    }
    table = make_table(Fixed(vectors), [PAD_TOKEN, UNKNOWN_TOKEN, *WORDS], width=8, seed=1).table[
        2:
    ]
    near = np.linalg.norm(table[0] - table[2])
    assert near < np.linalg.norm(table[0] - table[1]) / 2


def test_a_word_without_a_vector_takes_that_of_its_spelling() -> None:
    vectors = {
        "walking": np.array([1, 0], np.float32), "talking": np.array([1, 0.1], np.float32),
        "houses": np.array([-1, 0], np.float32), "mouses": np.array([-1, -0.1], np.float32),
    }  # fmt: skip
    tokens = [PAD_TOKEN, UNKNOWN_TOKEN, *vectors, "stalking", "rehouses", "##q"]
    found = make_table(Fixed(vectors), tokens, width=2, seed=1)
    walking, houses = found.table[2], found.table[4]
    stalking, rehouses, piece = found.table[6:]
    assert np.linalg.norm(stalking - walking) < np.linalg.norm(stalking - houses)
    assert np.linalg.norm(rehouses - houses) < np.linalg.norm(rehouses - walking)
    assert not piece.any()
    assert found.known.tolist() == [False, False, *[True] * 4, False, False, False]


def test_pieces_are_asked_for_without_their_mark() -> None:
    vectors = {word: np.ones(2, np.float32) * place for place, word in enumerate(WORDS)}
    vectors["ing"] = np.array([5.0, 7.0], np.float32)
    tokens = [PAD_TOKEN, UNKNOWN_TOKEN, *WORDS, "##ing", "##"]
    found = make_table(Fixed(vectors), tokens, width=2, seed=1)
    assert found.known[-2:].tolist() == [True, False]


def test_the_same_every_time() -> None:
    tables = [make(WORDS, known=50, source_width=5).table for _ in range(2)]
    assert tables[0].tobytes() == tables[1].tobytes()


def test_vectors_of_another_language() -> None:
    with pytest.raises(VectorsError, match="of 2 of the 62 words .* of another language"):
        make(WORDS, known=2, source_width=4)
