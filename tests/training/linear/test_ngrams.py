"""The table of hashed n-grams: counted as plain Python counts, learned, coded in 8 bits."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import models.ngrams
from models.ngrams import ORDERS, spread
from tests.ngrams import count_plainly
from training.linear import ngrams
from training.linear.ngrams import (
    FEWEST_BUCKETS,
    MOST_BUCKETS,
    TABLE_BYTES,
    NgramModel,
    choose_buckets,
    count_ngrams,
    fit_ngrams,
)

BUCKETS = 101
ROWS = st.lists(st.lists(st.integers(1, 12_000), max_size=8), min_size=1, max_size=6)
REPETITIVE = ROWS | st.lists(st.lists(st.integers(1, 3), max_size=30), min_size=1, max_size=6)
GOOD, BAD, NOT = 2, 3, 4
FILLER = range(5, 40)


def make_texts(number: int, *, seed: int = 0) -> tuple[list[list[int]], np.ndarray]:
    """Return ids, and 1 where GOOD stands without NOT before it or BAD with it, else 0."""
    random = np.random.default_rng(seed)
    rows, liked = [], []
    for _ in range(number):
        word, negated = random.choice([GOOD, BAD]), random.random() < 0.5
        before, after = (random.choice(FILLER, random.integers(1, 9)).tolist() for _ in range(2))
        rows.append([*before, *([NOT] if negated else []), int(word), *after])
        liked.append((word == GOOD) != negated)
    return rows, np.array(liked, np.int32)


def learn(rows: list[list[int]], targets: np.ndarray, **changes: Any) -> NgramModel:
    options: dict[str, Any] = {"exclusive": True, "strengths": (1.0,), "seed": 1}
    (fitted,) = fit_ngrams(rows, targets, **options | changes)
    return fitted


def one_of_two(targets: np.ndarray) -> np.ndarray:
    return np.eye(2, dtype=bool)[targets]


class TestCounting:
    @pytest.mark.medium
    @given(REPETITIVE, st.sampled_from([1, 2, 5, 128]))
    def test_counts(self, rows: list[list[int]], window: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(models.ngrams, "WINDOW", window)
            self.check_counts(rows)

    def check_counts(self, rows: list[list[int]]) -> None:
        counts = count_ngrams(rows, buckets=BUCKETS).toarray()
        assert counts.shape == (len(rows), BUCKETS)
        for row, found in zip(rows, counts, strict=True):
            expected = np.zeros(BUCKETS)
            for bucket, count in count_plainly(row, buckets=BUCKETS).items():
                expected[bucket] = count / math.sqrt(len(row))
            np.testing.assert_allclose(found, expected, rtol=1e-6)

    @pytest.mark.parametrize("rows", [[[]], [[], []], [[7]], [[], [7], []], [[7, 8], [7]]])
    def test_rows_of_few_tokens(self, rows: list[list[int]]) -> None:
        counts = count_ngrams(rows, buckets=BUCKETS)
        sums = [ORDERS * len(row) / math.sqrt(max(1, len(row))) for row in rows]
        assert np.ravel(counts.sum(axis=1)).tolist() == pytest.approx(sums)

    def test_the_order_of_words_counts(self) -> None:
        one, other = count_ngrams([[5, 6, 7], [7, 6, 5]], buckets=16_381).toarray()
        assert (one != other).any()

    @pytest.mark.parametrize("columns", [1, 2, 5, 300, 10_000])
    def test_number_of_buckets(self, columns: int) -> None:
        buckets = choose_buckets(columns)
        assert all(buckets % divisor for divisor in range(2, math.isqrt(buckets) + 1))
        assert 0.99 * FEWEST_BUCKETS < buckets <= MOST_BUCKETS
        assert buckets <= max(FEWEST_BUCKETS, TABLE_BYTES // columns)


class TestLearning:
    @pytest.mark.medium
    def test_negation_is_told_from_its_opposite(self) -> None:
        rows, liked = make_texts(600)
        model = learn(rows, one_of_two(liked))
        unseen, expected = make_texts(200, seed=1)
        assert np.mean(model.logits(unseen).argmax(axis=1) == expected) > 0.95

    @pytest.mark.medium
    def test_same_seed_same_table(self) -> None:
        rows, liked = make_texts(100)
        one, other = (learn(rows, one_of_two(liked), seed=3) for _ in range(2))
        np.testing.assert_array_equal(one.table, other.table)
        np.testing.assert_array_equal(one.bias, other.bias)
        assert one.scale == other.scale

    @pytest.mark.medium
    def test_two_classes_share_a_column(self) -> None:
        rows, liked = make_texts(100)
        model = learn(rows, one_of_two(liked))
        assert model.table.shape == (choose_buckets(1), 1)
        logits = model.logits(rows)
        np.testing.assert_allclose(logits.sum(axis=1), 0, atol=1e-6)
        swapped = learn(rows, one_of_two(1 - liked)).logits(rows)
        np.testing.assert_allclose(swapped, logits[:, ::-1], atol=0.3)

    @pytest.mark.medium
    @pytest.mark.parametrize(("labels", "exclusive"), [(2, False), (3, True), (3, False)])
    def test_other_classes_have_a_column_each(self, labels: int, exclusive: bool) -> None:
        rows, liked = make_texts(100)
        targets = np.eye(labels, dtype=bool)[liked]
        model = learn(rows, targets, exclusive=exclusive)
        assert model.table.shape == (choose_buckets(labels), labels)
        assert model.logits(rows).shape == (100, labels)

    @pytest.mark.medium
    @pytest.mark.parametrize(("present", "odds"), [(0, -8), (1, 8)])
    def test_a_label_of_no_text_or_of_all(self, present: int, odds: float) -> None:
        rows, liked = make_texts(50)
        targets = np.stack([liked, np.full(50, present)], axis=1) == 1
        logits = learn(rows, targets, exclusive=False).logits([*rows, []])
        np.testing.assert_allclose(logits[:, 1], odds)

    @pytest.mark.medium
    def test_a_text_without_tokens_gets_the_bias(self) -> None:
        rows, liked = make_texts(50)
        model = learn([[], *rows], one_of_two(np.append(0, liked)))
        np.testing.assert_allclose(model.logits([[]])[0], spread(model.bias[None], labels=2)[0])

    @pytest.mark.medium
    def test_strength_is_how_closely_texts_are_followed(self) -> None:
        rows, liked = make_texts(100)
        targets = one_of_two(liked)
        alone = [learn(rows, targets, strengths=(each,)) for each in (0.01, 1)]
        together = fit_ngrams(rows, targets, exclusive=True, strengths=(0.01, 1), seed=1)
        weak, strong = (model.logits(rows) for model in together)
        assert np.abs(weak).mean() < 0.5 * np.abs(strong).mean()
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one.logits(rows), other.logits(rows))

    @pytest.mark.medium
    def test_balance_finds_more_of_a_rare_label(self) -> None:
        rows, liked = make_texts(300)
        kept = np.flatnonzero((liked == 0) | (np.arange(300) % 10 == 0))
        rows, liked = [rows[row] for row in kept], liked[kept]
        targets = one_of_two(liked)
        plain, balanced = (
            learn(rows, targets, balance=balance).logits(rows)[:, 1]
            for balance in (None, [1.0, 8.0])
        )
        rare = liked == 1
        assert balanced[rare].mean() > plain[rare].mean() + 0.5
        assert balanced[~rare].mean() == pytest.approx(plain[~rare].mean(), abs=0.2)

    @pytest.mark.medium
    def test_balance_of_labels_that_are_independent(self) -> None:
        rows, liked = make_texts(300)
        targets = np.stack([liked == 1, liked == 0], axis=1)
        plain, balanced = (
            learn(rows, targets, exclusive=False, balance=balance).logits(rows).mean(axis=0)
            for balance in (None, [8.0, 1.0])
        )
        assert balanced[0] > plain[0] + 0.5
        assert balanced[1] == pytest.approx(plain[1], abs=0.01)


class TestCoding:
    @pytest.mark.parametrize("columns", [1, 4])
    def test_error_is_at_most_that_of_half_a_root(self, columns: int, monkeypatch) -> None:
        random = np.random.default_rng(0)
        weights = random.standard_t(2, (columns, BUCKETS)).astype(np.float32)  # a few are large
        answers = iter(weights)
        monkeypatch.setattr(ngrams, "choose_buckets", lambda _: BUCKETS)
        monkeypatch.setattr(ngrams, "_fit_column", lambda *_, **__: [(next(answers), 0.5)])
        targets = np.zeros((2, columns), np.float32)
        model = learn([[1], [2]], targets, exclusive=False)
        roots = model.table.astype(np.float64)
        decoded, exact = model.scale * roots * np.abs(roots), weights.T
        # A root is off by 1/2 at most: (r + 1/2)² - r² = r + 1/4.
        bound = model.scale * (np.sqrt(np.abs(exact) / model.scale) + 0.25)
        assert (np.abs(decoded - exact) <= bound * (1 + 1e-5)).all()
        largest = np.unravel_index(np.abs(exact).argmax(), exact.shape)
        assert abs(model.table[largest]) == 127
        assert decoded[largest] == pytest.approx(exact[largest])
        assert model.table.dtype == np.int8

    def test_a_table_of_zeros(self) -> None:
        model = learn([[1], [2]], np.zeros((2, 2), np.float32), exclusive=False)
        assert not model.table.any()
        assert model.logits([[1, 2]]).tolist() == [[-8, -8]]

    def test_logits_are_the_sum_of_entries_over_the_root_of_the_length(self) -> None:
        random = np.random.default_rng(0)
        table = random.integers(-127, 128, (BUCKETS, 3)).astype(np.int8)
        bias = np.array([0.1, 0.2, 0.3], np.float32)
        model = NgramModel(table, 0.001, bias, 3)
        row = random.integers(1, 99, 20).tolist()
        entries = table.astype(float)
        expected = bias + sum(
            count * 0.001 * entries[bucket] * abs(entries[bucket]) / math.sqrt(20)
            for bucket, count in count_plainly(row, buckets=BUCKETS).items()
        )
        np.testing.assert_allclose(model.logits([row])[0], expected, rtol=1e-5)

    @pytest.mark.medium
    def test_thousands_of_equal_terms_lose_no_digits(self) -> None:
        model = NgramModel(np.full((20_011, 1), 127, np.int8), 1e-5, np.zeros(1, np.float32), 1)
        row = np.random.default_rng(0).integers(1, 60_000, 20_000).tolist()
        terms = sum(count_plainly(row, buckets=20_011).values())
        expected = terms * 127**2 * 1e-5 / math.sqrt(20_000)
        np.testing.assert_allclose(model.logits([row])[0, 0], expected, rtol=5e-7)
