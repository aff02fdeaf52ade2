"""Texts that stand inside other texts, against a search by brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.nesting import Nesting, find_nesting

SENTENCE = "a film that is never as clever as it thinks"


def pairs(nesting: Nesting) -> set[tuple[int, int]]:
    return set(zip(nesting.parts.tolist(), nesting.wholes.tolist(), strict=True))


def stands_inside(part: str, whole: str) -> bool:
    return bool(part) and f" {part} " in f" {whole} "


@pytest.mark.medium
@given(st.lists(st.text("ab ", max_size=9), max_size=12))
def test_finds_what_brute_force_finds(texts: list[str]) -> None:
    plain = [" ".join(text.split()) for text in texts]
    found = find_nesting(texts)
    first = [plain.index(text) for text in plain]
    expected = {
        (first[part], first[whole])
        for part, _ in enumerate(plain)
        for whole, _ in enumerate(plain)
        if plain[part] != plain[whole] and stands_inside(plain[part], plain[whole])
    }
    equal = {(row, same) for row, same in enumerate(first) if row != same and plain[row]}
    assert pairs(found) == equal | expected


def test_case_and_punctuation_do_not_count() -> None:
    assert pairs(find_nesting([SENTENCE, "Never as clever, as IT thinks!"])) == {(1, 0)}


@pytest.mark.parametrize(
    "part",
    [
        "AS CLE\u00adVER AS İT thınks",
        "as clever\u200b as it thinks",
        "ａｓ ｃｌｅｖｅｒ as it thinks",
    ],
)
def test_invisible_characters_and_forms_of_letters_do_not_count(part: str) -> None:
    assert pairs(find_nesting([SENTENCE, part])) == {(1, 0)}


def test_parts_of_words_do_not_count() -> None:
    assert not pairs(find_nesting([SENTENCE, "as clever as it think", "film that is nev"]))


def test_one_of_equal_texts_is_whole() -> None:
    texts = [SENTENCE, "another text altogether", SENTENCE.title(), SENTENCE]
    found = find_nesting(texts)
    assert found.inner.tolist() == [False, False, True, True]
    assert found.families.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("shared", [20, 31, 32, 33, 200])
def test_texts_with_the_same_start_are_texts_of_their_own(shared: int) -> None:
    start = " ".join(f"w{number}" for number in range(shared))
    texts = [f"{start} {end}" for end in ("and so on", "too", "and so", "too and more of it")]
    found = find_nesting([*texts, f"well {start} and so indeed"])
    assert pairs(found) == {(2, 0), (2, 4), (1, 3)}


def test_families() -> None:
    texts = [
        "as clever as it thinks",
        "another text altogether",
        SENTENCE,
        "that is never as clever",
    ]
    assert find_nesting(texts).families.tolist() == [0, 1, 0, 0]


def test_short_texts_join_nothing() -> None:
    texts = [SENTENCE, "never as clever", "it is never as clever again", "never as clever"]
    assert find_nesting(texts).families.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("others", "inner"), [(3, [1, 2, 3]), (30, [1])])
def test_short_texts_are_parts_only_where_many_texts_are(others: int, inner: list[int]) -> None:
    texts = [SENTENCE, "never as clever as it thinks", "a film", "clever"]
    texts += [f"text {number} has nothing in common" for number in range(others)]
    assert np.flatnonzero(find_nesting(texts).inner).tolist() == inner


def test_equal_texts_do_not_make_nesting_common() -> None:
    texts = [f"text {number} has nothing in common" for number in range(30)]
    texts += ["a film", "clever", f"a film that is {texts[0]}", *texts]
    found = find_nesting(texts)
    assert not found.is_common
    assert np.flatnonzero(found.inner).tolist() == [0, *range(33, 63)]


@pytest.mark.parametrize("texts", [[], [""], ["", "...", " "]])
def test_no_words(texts: list[str]) -> None:
    found = find_nesting(texts)
    assert not found.inner.any()
    assert found.families.tolist() == list(range(len(texts)))
