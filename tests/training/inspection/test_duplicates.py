"""Texts that stand twice are found, exactly or nearly, and others are not."""

import itertools

import numpy as np
import pytest

from tests.training.inspection.made_up_texts import exchange, make_table, make_texts
from training.inspection.duplicates import EMPTY, find_duplicates, find_leaks, find_repeats
from training.inspection.findings import Repeats
from training.inspection.minhash import SIMILARITY, find_pairs
from training.inspection.shingles import compare, cut_shingles
from training.inspection.words import read_words


def near_pairs(texts: list[str]) -> set[tuple[int, int]]:
    near = find_duplicates(read_words(texts)).near
    return {(a, b) for a, b in zip(near.first.tolist(), near.second.tolist(), strict=True) if a < b}


def repeats_of(**texts: list[str]) -> dict[tuple[str, str], Repeats]:
    table = make_table(texts, {split: [0] * len(rows) for split, rows in texts.items()})
    found = find_repeats(find_duplicates(read_words(table.texts)), table)
    return {(repeats.split, repeats.of): repeats for repeats in found}


class TestExact:
    def test_case_and_spaces_make_no_difference(self) -> None:
        texts = ["A good film.", "bad", "a  GOOD\nfilm .", "a good film"]
        assert find_duplicates(read_words(texts)).texts.tolist() == [0, 1, 0, 3]

    def test_order_makes_a_difference(self) -> None:
        assert find_duplicates(read_words(["a b", "b a"])).texts.tolist() == [0, 1]

    def test_empty_texts_are_no_duplicates(self) -> None:
        assert find_duplicates(read_words(["", " ", "x"])).texts.tolist() == [EMPTY, EMPTY, 2]


class TestNear:
    @pytest.mark.parametrize("words", [17, 40, 200])
    @pytest.mark.parametrize("place", [0, 8, -1])
    def test_one_word_exchanged(self, words: int, place: int) -> None:
        text = make_texts(1, words=words)[0]
        assert near_pairs([text, exchange(text, place=place, word="other")]) == {(0, 1)}

    @pytest.mark.parametrize("words", [12, 30])
    @pytest.mark.parametrize("place", [0, 5])
    def test_one_word_more(self, words: int, place: int) -> None:
        text = make_texts(1, words=words)[0]
        longer = exchange(text, place=place, word=f"{text.split()[place]} more")
        assert near_pairs([text, longer]) == {(0, 1)}

    def test_other_punctuation(self) -> None:
        assert near_pairs(["one two, three four five", "One two three: four five!"]) == {(0, 1)}

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("not good at all", "not good at all!"),
            ("not a good film at all", "a good film at all"),
            ("i love this film so much", "i hate this film so much"),
        ],
    )
    def test_few_words_are_only_like_themselves(self, one: str, other: str) -> None:
        assert near_pairs([one, other]) == set()

    def test_order_makes_a_difference(self) -> None:
        text = make_texts(1)[0]
        assert near_pairs([text, " ".join(reversed(text.split()))]) == set()

    def test_emoji_make_a_difference(self) -> None:
        assert near_pairs(["what a day this was 😂", "what a day this was 😢"]) == set()

    def test_scripts_without_spaces(self) -> None:
        text = "我今天早上在公园里遇见了一位多年没有联系的老朋友"
        assert near_pairs([text, text.replace("早", "晚")]) == {(0, 1)}

    def test_exact_copies_are_compared_once(self) -> None:
        text = make_texts(1)[0]
        almost = exchange(text, place=3, word="other")
        assert near_pairs([text, text, almost, almost]) == {(0, 2)}

    def test_all_that_comparing_all_finds(self) -> None:
        """Texts of all degrees of likeness; the few that signatures miss are hardly alike."""
        texts = make_texts(60, words=40)
        for text, changes in itertools.product(texts[:60], range(1, 5)):
            changed = text
            for change in range(changes):
                changed = exchange(changed, place=7 * change, word=f"new{change}")
            texts.append(changed)
        words = read_words(texts)
        shingles = cut_shingles(words, rows=np.arange(len(texts)))
        first, second = np.triu_indices(len(texts), 1)
        similarity = compare(shingles, first, second)
        alike = similarity >= SIMILARITY
        pairs = find_pairs(words, rows=np.arange(len(texts)))
        known = dict(
            zip(zip(first[alike], second[alike], strict=True), similarity[alike], strict=True)
        )
        found = dict(
            zip(zip(pairs.first, pairs.second, strict=True), pairs.similarity, strict=True)
        )
        assert found.items() <= known.items()
        assert len(found) >= 0.99 * len(known) > 100

    def test_similarity_is_the_share_of_pairs_of_words(self) -> None:
        text = make_texts(1, words=19)[0]
        pairs = find_pairs(
            read_words([text, exchange(text, place=9, word="other")]), rows=np.arange(2)
        )
        assert pairs.similarity.tolist() == [18 / 22]  # of twenty pairs each two differ

    def test_many_of_a_kind(self) -> None:
        texts = make_texts(200, words=40)
        letter = make_texts(1, words=40, seed=1)[0]
        texts += [exchange(letter, place=20, word=f"number{row}") for row in range(500)]
        near = find_duplicates(read_words(texts)).near
        assert set(near.first.tolist()) == set(range(200, 700))
        assert len(near.first) < 500 * 499 / 2  # not all with all


class TestLeaks:
    def test_exact_near_and_none(self) -> None:
        train = make_texts(50)
        other = [
            train[3].upper(),
            exchange(train[4], place=2, word="other"),
            *make_texts(9, seed=1),
        ]
        leaks = find_leaks(train, other)
        assert leaks.dtype == np.bool_
        assert leaks.tolist() == [True, True] + [False] * 9

    def test_repeated_within_the_other_only(self) -> None:
        text = make_texts(1)[0]
        assert find_leaks(make_texts(5, seed=1), [text, text]).tolist() == [False, False]

    def test_all_copies_of_a_leak(self) -> None:
        train = make_texts(5)
        almost = exchange(train[2], place=2, word="other")
        assert find_leaks(train, [almost, almost]).tolist() == [True, True]

    def test_empty_texts_leak_not(self) -> None:
        assert find_leaks(["", "a"], ["", " "]).tolist() == [False, False]

    @pytest.mark.parametrize(("train", "other"), [([], []), ([], ["a"]), (["a"], [])])
    def test_nothing_to_compare(self, train: list[str], other: list[str]) -> None:
        assert find_leaks(train, other).tolist() == [False] * len(other)


class TestRepeats:
    def test_rows_are_counted_in_their_split(self) -> None:
        train, test = make_texts(4), make_texts(4, seed=1)
        almost = exchange(train[1], place=0, word="other")
        found = repeats_of(
            train=[*train, train[1], almost], test=[*test, train[2], almost, test[0]]
        )
        within = found["train", "train"]
        assert [(match.row, match.twin) for match in within.exact] == [(4, 1)]
        assert [(match.row, match.twin) for match in within.near] == [(5, 1)]
        across = found["test", "train"]
        assert [(match.row, match.twin) for match in across.exact] == [(4, 2), (5, 5)]
        assert across.near == ()
        assert [(match.row, match.twin) for match in found["test", "test"].exact] == [(6, 0)]
        assert len(within) == 2

    def test_the_most_similar_row_is_the_twin(self) -> None:
        text = make_texts(1, words=60)[0]
        once = exchange(text, place=3, word="other")
        twice = exchange(once, place=50, word="other")
        found = repeats_of(train=[twice, once], test=[text])["test", "train"]
        assert [(match.row, match.twin) for match in found.near] == [(0, 1)]

    def test_train_comes_first_whatever_the_order(self) -> None:
        text = make_texts(1)[0]
        found = repeats_of(test=[text], train=[text])
        assert set(found) == {("train", "train"), ("test", "train"), ("test", "test")}
        assert len(found["test", "train"].exact) == 1
