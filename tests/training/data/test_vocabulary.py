"""The vocabulary holds frequent words whole, the rest in pieces, and never varies."""

import random
import string

import pytest

from models.normalization import LATEST
from models.tokenizer import PAD_TOKEN, UNKNOWN, UNKNOWN_TOKEN, Tokenizer
from training.data.vocabulary import MIN_PIECE_COUNT, extend_vocabulary, learn_vocabulary


def make_texts(*, words: int = 400, texts: int = 300, seed: int = 0) -> list[str]:
    """Return texts of made-up words, a few of which are frequent."""
    draw = random.Random(seed)
    known = [
        "".join(draw.choices(string.ascii_lowercase, k=draw.randint(2, 9))) for _ in range(words)
    ]
    weights = [1 / rank for rank in range(1, words + 1)]
    return [" ".join(draw.choices(known, weights, k=20)) for _ in range(texts)]


@pytest.mark.parametrize("size", [100, 250, 1_000, 50_000])
def test_size_is_an_upper_bound(size: int) -> None:
    tokenizer = learn_vocabulary(make_texts(), size=size)
    assert len(tokenizer) <= size
    assert tokenizer.tokens[:2] == (PAD_TOKEN, UNKNOWN_TOKEN)


def test_same_texts_give_the_same_vocabulary() -> None:
    texts = make_texts()
    assert learn_vocabulary(texts, size=300).tokens == learn_vocabulary(texts, size=300).tokens
    shuffled = random.Random(1).sample(texts, len(texts))
    assert learn_vocabulary(shuffled, size=300).tokens == learn_vocabulary(texts, size=300).tokens


def test_frequent_words_come_first_ties_by_alphabet() -> None:
    tokenizer = learn_vocabulary(["c b a"] * 3 + ["d"] * 5 + ["once"], size=100)
    assert tokenizer.tokens[2:7] == ("d", "a", "b", "c", "##c")


def test_words_are_normalised() -> None:
    tokenizer = learn_vocabulary(["Good GOOD don’t DON'T"], size=100)
    assert {"good", "don't"} <= set(tokenizer.tokens)
    assert {"Good", "GOOD", "don’t"}.isdisjoint(tokenizer.tokens)


def test_a_rare_word_is_seen_in_pieces() -> None:
    stems, endings = ["walk", "talk", "work", "jump"], ["ing", "ed", "er"]
    rare = [stem + ending for stem in stems for ending in endings]
    tokenizer = learn_vocabulary([*rare, *["common words"] * 9], size=150)
    ids = tokenizer.encode("walked")
    assert UNKNOWN not in ids
    assert len(ids) > 1
    assert tokenizer.encode("common words") == [
        tokenizer.tokens.index("common"),
        tokenizer.tokens.index("words"),
    ]


@pytest.mark.parametrize(
    ("times", "learned"), [(MIN_PIECE_COUNT - 1, False), (MIN_PIECE_COUNT, True)]
)
def test_a_piece_must_be_seen_often(times: int, learned: bool) -> None:
    ending = [f"{first}{second}ing" for first in "bcdfg" for second in "aeiouy"]
    tokenizer = learn_vocabulary([" ".join(ending[:times])], size=500)
    assert ("##ing" in tokenizer.tokens) is learned


def test_no_token_is_spent_on_links() -> None:
    link = string.ascii_lowercase + string.digits + "abcd" * 7
    tokenizer = learn_vocabulary([f"{link} fine"] * 5, size=100)
    assert "fine" in tokenizer.tokens
    assert link not in tokenizer.tokens


def test_emoji_and_scripts_without_spaces() -> None:
    tokenizer = learn_vocabulary(["素晴らしい映画 😀", "映画館の音楽 😀", "素敵な映画"], size=300)
    assert UNKNOWN not in tokenizer.encode("素晴らしい音楽 映画の音 😀")


@pytest.mark.parametrize("texts", [[], [""], ["", " \n\t "]])
def test_no_words_at_all(texts: list[str]) -> None:
    tokenizer = learn_vocabulary(texts, size=100)
    assert tokenizer.tokens == (PAD_TOKEN, UNKNOWN_TOKEN)
    assert tokenizer.encode("anything") == [UNKNOWN]


@pytest.mark.parametrize(("normalization", "dotted"), [(1, "i\u0307yi\u0307"), (2, "iyi")])
def test_words_are_read_as_by_a_known_tokenizer(normalization: int, dotted: str) -> None:
    known = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN], normalization=normalization)
    learned = learn_vocabulary(["İYİ"] * 2, size=100, known=known)
    assert dotted in learned.tokens
    assert learned.normalization == extend_vocabulary(known, learned).normalization == normalization


def test_without_a_known_one_the_latest_normalisation_is_taken() -> None:
    learned = learn_vocabulary(["soft\u00adhyphen"] * 2, size=100)
    assert learned.normalization == LATEST
    assert "softhyphen" in learned.tokens


def test_known_tokens_keep_their_ids() -> None:
    known = learn_vocabulary(["a small start"] * 2, size=100)
    learned = learn_vocabulary(["a new start, larger"] * 2, size=100)
    extended = extend_vocabulary(known, learned)
    assert extended.tokens[: len(known)] == known.tokens
    assert set(extended.tokens) == {*known.tokens, *learned.tokens}
