"""N-grams of whole texts, looked up without the network."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import models.ngrams
from models.metadata import NgramTable, WeightRecord
from models.ngram_lookup import NgramLookup
from models.ngrams import MULTIPLIERS, NAME, ORDERS, hash_ngrams, spread
from tests.ngrams import count_plainly, hash_plainly
from tests.versions import make_metadata, publish

BUCKETS = 101
ROWS = st.lists(st.lists(st.integers(1, 12_000), max_size=8), min_size=1, max_size=6)


@given(ROWS, st.sampled_from([2, 101, 16_381]))
def test_hash(rows: list[list[int]], buckets: int) -> None:
    ids = max(rows, key=len)
    start = [0] * (ORDERS - 1)
    found = hash_ngrams(np.array(start + ids, np.int64), buckets=buckets)
    assert found.tolist() == [
        [hash_plainly(ids, end=end, order=order, buckets=buckets) for end in range(1, len(ids) + 1)]
        for order in range(1, ORDERS + 1)
    ]


def test_ids_of_a_large_vocabulary_do_not_overflow() -> None:
    largest = 2**24  # beyond which the state could not hold an id exactly
    assert largest * sum(map(max, MULTIPLIERS)) < 2**63
    found = hash_ngrams(np.full(ORDERS, largest, np.int64), buckets=BUCKETS)
    ids = [largest] * ORDERS
    for order in range(1, ORDERS + 1):
        assert found[order - 1, 0] == hash_plainly(ids, end=ORDERS, order=order, buckets=BUCKETS)


def draw_lookup(columns: int, *, labels: int) -> NgramLookup:
    table = np.random.default_rng(0).integers(-127, 128, (BUCKETS, columns)).astype(np.int8)
    return NgramLookup(table, 1e-4, labels)


def add_plainly(lookup: NgramLookup, ids: list[int]) -> np.ndarray:
    """Return the logits (labels,) of the n-grams of a text."""
    entries = lookup.table.astype(float)
    total = np.zeros(entries.shape[1])
    for bucket, count in count_plainly(ids, buckets=BUCKETS).items():
        total += count * lookup.scale * entries[bucket] * abs(entries[bucket])
    return spread(total[None] / math.sqrt(len(ids)), labels=lookup.labels)[0]


@pytest.mark.medium
@pytest.mark.parametrize(("columns", "labels"), [(1, 2), (3, 3)])
@given(st.lists(st.integers(1, 5), max_size=40), st.sampled_from([3, 128]))
def test_what_is_to_come(columns: int, labels: int, ids: list[int], window: int) -> None:
    lookup = draw_lookup(columns, labels=labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models.ngrams, "WINDOW", window)
        found = lookup.coming(ids, every=8)
        reads = range(8, len(ids), 8)
        assert found.shape == (len(reads), labels)
        for read, change in zip(reads, found, strict=True):
            expected = add_plainly(lookup, ids) - add_plainly(lookup, ids[:read])
            np.testing.assert_allclose(change, expected, atol=1e-5)


def test_a_version_says_where_its_table_lies(tmp_path) -> None:
    table = np.arange(-5, 5, dtype=np.int8).reshape(10, 1)
    sizes = NgramTable(orders=ORDERS, buckets=10, columns=1, scale=0.5)
    shape = make_metadata().architecture.model_copy(update={"ngrams": sizes})
    weights = {NAME: WeightRecord(offset=3, shape=(10, 1), dtype="int8")}
    variables = b"abc" + table.tobytes()
    version = publish(tmp_path, architecture=shape, weights=weights, variables=variables)
    lookup = NgramLookup.of(version)
    assert lookup is not None
    np.testing.assert_array_equal(lookup.table, table)
    assert (lookup.scale, lookup.labels) == (0.5, 2)


def test_a_version_may_have_no_table_or_not_say_where_it_lies(tmp_path) -> None:
    assert NgramLookup.of(publish(tmp_path)) is None
    sizes = NgramTable(orders=ORDERS, buckets=10, columns=1)  # as before format version 4
    shape = make_metadata().architecture.model_copy(update={"ngrams": sizes})
    assert NgramLookup.of(publish(tmp_path, architecture=shape)) is None


def test_spread() -> None:
    shared = np.array([[2.0], [-1.0]], np.float32)
    assert spread(shared, labels=2).tolist() == [[-1.0, 1.0], [0.5, -0.5]]
    own = np.array([[2.0, 3.0]], np.float32)
    assert spread(own, labels=2).tolist() == own.tolist()
