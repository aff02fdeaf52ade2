"""Texts become numbers of words, as the tokenizer finds and writes them."""

import pytest

from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer
from training.inspection.words import Words, read_words


def spelled(words: Words, row: int) -> list[str]:
    return [words.spellings[number] for number in words.part(slice(row, row + 1))]


def test_words_are_those_of_the_tokenizer() -> None:
    texts = ["It's  GOOD,\nvery good!", "naïve ＡＢＣ 3.5 👍🏽", ""]
    words = read_words(texts)
    tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN])
    assert [spelled(words, row) for row in range(3)] == [tokenizer.words(text) for text in texts]
    assert words.counts.tolist() == [len(tokenizer.words(text)) for text in texts]


def test_equal_words_have_equal_numbers() -> None:
    words = read_words(["Good film", "film GOOD"])
    assert words.ids.tolist() == [0, 1, 1, 0]


def test_a_part_is_the_words_of_its_texts() -> None:
    words = read_words(["a b", "", "c"])
    assert words.part(slice(0, 2)).tolist() == [0, 1]
    assert words.part(slice(1, 2)).tolist() == []
    assert words.part(slice(1, 3)).tolist() == [2]


def test_characters_of_scripts_without_spaces_are_words() -> None:
    assert spelled(read_words(["我喜欢 tea"]), 0) == ["我", "喜", "欢", "tea"]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("çok iyi", "ÇOK İYİ"),
        ("un\u00adforget\u200btable", "unforgettable"),
        ("don\u02bct", "don't"),
        ("我\u200b喜欢", "我喜欢"),
    ],
)
def test_texts_that_look_alike_are_alike(text: str, other: str) -> None:
    words = read_words([text, other])
    assert spelled(words, 0) == spelled(words, 1)


def test_no_texts() -> None:
    words = read_words([])
    assert len(words) == 0
    assert len(words.ids) == 0
