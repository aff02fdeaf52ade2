"""Texts that check every export: many scripts, all difficult lengths, and every token."""

import numpy as np

GOLDEN_TEXTS = [
    "",
    "a",
    "An unforgettable film.",
    "I wouldn't watch it again, not even for free!!!",
    "Slow at first; by the end I couldn't look away. 8/10",
    "The quarterly invoice was sent twice and nobody answered my e-mail.",
    "¡Qué película tan hermosa! Ein naïver, aber schöner Film.",
    "😀👍🏽👩‍👩‍👧 absolutely loved it 🇫🇷",
    "これは素晴らしい映画でした。非常好看",
    "यह फ़िल्म बहुत अच्छी थी",
    "https://example.org/a?b=c  \t\n  \x00 \ufeff",
    "It begins well and it ends badly. " * 60,
]

LENGTHS = (1, 1, 2, 3, 7, 20, 64, 129, 400, 2_000, 5_000)  # engines read the last in slices
BATCH = 64
SHORT = 16  # tokens of a row in which each of them still matters


def awkward_rows(*, vocabulary: int, seed: int = 0) -> list[list[int]]:
    """Return random ids: an empty row, rows of 1 to 5,000 tokens, and 64 rows with one twice."""
    random = np.random.default_rng(seed)
    rows = [random.integers(1, vocabulary, length).tolist() for length in LENGTHS]
    batch = [random.integers(1, vocabulary, n).tolist() for n in random.integers(0, 90, BATCH - 1)]
    return [[], *rows, *batch, rows[5]]


def rows_of_all_tokens(*, vocabulary: int, seed: int = 0) -> list[list[int]]:
    """Return short rows that hold each token once, so that no row of the embedding goes unread."""
    order = np.random.default_rng(seed).permutation(np.arange(1, vocabulary))
    return [order[start : start + SHORT].tolist() for start in range(0, len(order), SHORT)]
