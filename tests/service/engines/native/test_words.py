"""Texts get the ids in C that the tokenizer gives them."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.normalization import NORMALIZATIONS
from models.registry import Store
from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer
from service.engines.native.library import Library
from service.engines.native.words import Encoder

STORE = Path(__file__).parents[4] / "models" / "store"
SPECIAL = (PAD_TOKEN, UNKNOWN_TOKEN)
TOKENS = (
    *SPECIAL,
    *("the", "film", "don't", "un", "##forget", "##table", "##t", "a", "##a", "ab", "##ab", "abc"),
    *("#", "##", "###", "##'", "'", "!", "\x00", "\x7f", "1", "##1", "é", "##é", "##aé", "\ud800"),
    *("x" * 70, "y" * 300, "##" + "z" * 200, "a'a'a'a'a'a'a'a'a", "a'a'a'a'a'a'a'a'a'a"),
)
PARTS = (
    *("the", "THE", "Film", "don't", "DON'T", "unforgettable", "aab", "abcab", "a'a", "'", "''"),
    *(" ", "\t\n", "\x0b\x1c\x1f", "\x00", "\x7f", "#", "##a", "[UNK]", "[PAD]", "!?", "_", "1a1"),
    *("x" * 63, "x" * 64, "X" * 65, "x" * 70, "y" * 300, "q" * 130, "z" * 64, "a'" * 12),
    *("'".join(["b" * 40] * 9), "'".join(["ab" * 32] * 10), "'".join(["a" * 64] * 9)),
)


def both(tokenizer: Tokenizer, library: Library, text: str) -> tuple[list[int], list[int]]:
    found = Encoder(tokenizer, library=library).encode(text)
    return np.asarray(found).tolist(), tokenizer.encode(text)


@pytest.fixture(scope="module", params=NORMALIZATIONS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return Tokenizer(TOKENS, normalization=request.param)


@pytest.fixture(scope="module")
def encoder(tokenizer: Tokenizer, library: Library) -> Encoder:
    return Encoder(tokenizer, library=library)


def test_each_pair_of_characters(tokenizer: Tokenizer, encoder: Encoder) -> None:
    for first, second in itertools.product(map(chr, range(128)), repeat=2):
        for text in (f"a{first}{second}b", f" {first}{second} "):
            assert list(encoder.encode(text)) == tokenizer.encode(text), text


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_long_words_and_odd_ones(tokenizer: Tokenizer, encoder: Encoder, text: str) -> None:
    assert list(encoder.encode(text)) == tokenizer.encode(text)


@given(
    tokens=st.lists(st.text("ab'#", min_size=1, max_size=5), max_size=30, unique=True),
    text=st.text("abAB'# ", max_size=40),
)
def test_any_vocabulary(tokens: list[str], text: str, library: Library) -> None:
    found, expected = both(Tokenizer((*SPECIAL, *tokens)), library, text)
    assert found == expected


def test_the_rest_of_a_word_that_is_too_long(library: Library) -> None:
    tokenizer = Tokenizer((*SPECIAL, "b", "##b", "##'"))
    found, expected = both(tokenizer, library, "'".join(["b" * 64] * 9))
    assert found == expected
    assert len(found) == 257  # what is read, and one unknown token
    assert found[-1] == 1


def collide(count: int) -> list[str]:
    """Return words whose hashes begin in the same slot of a table for so many of them."""
    mask = (1 << (2 * (count + 2)).bit_length()) - 1
    found: list[str] = []
    for letters in itertools.product("abcdefghijklmnop", repeat=5):
        value = 2166136261
        for letter in letters:
            value = (value ^ ord(letter)) * 16777619 % 2**32
        if (value ^ value >> 15) & mask == 0:
            found.append("".join(letters))
        if len(found) == count:
            break
    return found


@pytest.mark.medium
def test_tokens_that_collide_take_no_longer(library: Library) -> None:
    tokens = collide(300)
    assert len(tokens) == 300
    text = " ".join(tokens)
    for some in (tokens[:200], tokens):  # the last ones would lie too far behind
        tokenizer = Tokenizer((*SPECIAL, *some, *(f"x{n}" for n in range(300 - len(some)))))
        encoder = Encoder(tokenizer, library=library)
        assert list(encoder.encode(text)) == tokenizer.encode(text)
        assert encoder._is_indexed == (some != tokens)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "naïve film", "\u2003the film", "Фильм"])
def test_other_texts_go_the_way_of_the_tokenizer(
    tokenizer: Tokenizer, encoder: Encoder, text: str
) -> None:
    assert list(encoder.encode(text)) == tokenizer.encode(text)


@pytest.mark.parametrize("name", ["imdb-gru", "imdb-lstm"])
def test_shipped_vocabularies(name: str, library: Library) -> None:
    tokenizer = Store(STORE).resolve(name).tokenizer
    encoder = Encoder(tokenizer, library=library)
    assert encoder._is_indexed
    random = np.random.default_rng(0)
    words = [token.removeprefix("##") for token in tokenizer.tokens if token.isascii()]
    for _ in range(200):
        drawn = [str(word) for word in random.choice(words, int(random.integers(1, 60)))]
        text = "".join(word + str(random.choice([" ", "", "'", ", "])) for word in drawn)
        assert list(encoder.encode(text)) == tokenizer.encode(text)
        assert list(encoder.encode(text.upper())) == tokenizer.encode(text.upper())


class TestOtherCharacters:
    """A text with few of them is cut at white space around them."""

    FILLER = "the film is unforgettable, don't table it. " * 12
    OTHERS = (
        *("é", "naïve", "a\u200bb", "\ufeff", "don’t", "э", "\u200d", "👍🏽", "\u0301", "İ", "ŉ"),
        *("\u00a0", "\u0085", "\u2003", "\u2028", "\u3000", "\ud800"),
    )

    @given(
        st.lists(
            st.tuples(st.integers(0, len(FILLER)), st.sampled_from(OTHERS)), min_size=1, max_size=5
        )
    )
    def test_anywhere(
        self, tokenizer: Tokenizer, encoder: Encoder, places: list[tuple[int, str]]
    ) -> None:
        text = self.FILLER
        for place, other in places:
            text = text[:place] + other + text[place:]
        assert list(encoder.encode(text)) == tokenizer.encode(text)

    @pytest.mark.parametrize(
        "begin", ["é\u00a0", "été\u00a0", "é\u2003é\u00a0\u00a0x", "\u00a0\u00a0é"]
    )
    def test_spaces_beyond_ascii(self, tokenizer: Tokenizer, encoder: Encoder, begin: str) -> None:
        for text in (begin + self.FILLER, self.FILLER + begin, self.FILLER + "a" + begin + "b"):
            assert list(encoder.encode(text)) == tokenizer.encode(text)

    def test_a_text_of_one_word(self, tokenizer: Tokenizer, encoder: Encoder) -> None:
        text = "a#" * 3_000 + "é" + "'b" * 3_000
        assert list(encoder.encode(text)) == tokenizer.encode(text)

    def test_the_tokenizer_reads_only_those_words(
        self, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokenizer = Tokenizer(TOKENS)
        read: list[str] = []
        encode = tokenizer.encode
        monkeypatch.setattr(tokenizer, "encode", lambda text: (read.append(text), encode(text))[1])
        encoder = Encoder(tokenizer, library=library)
        encoder.encode("the naïve film, " + self.FILLER + "(é)")
        assert read == ["naïve", "(é)"]
        encoder.encode("naïve naïveté")
        assert read[2:] == ["naïve naïveté"]  # too many
