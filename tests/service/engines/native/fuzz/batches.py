"""Texts at random: their ids, the states before them and the places where they are looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.service.engines.native.fuzz.subjects import Subject, choose

Ids = NDArray[np.int32]
Looks = NDArray[np.int64]
State = NDArray[np.float32]

COUNTS = (0, 1, 1, 2, 3, 5, 7, 8, 9, 10, 17, 24)  # of texts; 8 or 9 are read together
USUAL_LENGTH, LONGEST = 12, 400  # n-grams are remembered for 130 tokens
WIDE_TOKENS = 30
HOSTILE = np.array(
    [
        *(np.nan, np.inf, -np.inf, 3.4e38, -3.4e38, 1e30, -1e30),
        *(2.0**31, -(2.0**31), 2.0**24, 2.0**63, 1e-45, -0.0, 0.5, -1.0, -2.0, -7.5, 1e6),
    ],
    np.float32,
)
BAD_IDS = (0, -1, -(2**31), 2**31 - 1)  # and the size of the vocabulary


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """What a call is to read.

    Args:
        rows: The ids of each text.
        looks: Tokens of each text after which its probabilities are wanted, rising.
        before: State before each text, (texts, state); None at the start of texts.
        hostile: Whether the state before each text is one that no text leads to, (texts).
        wants_after: Whether the state after each text is wanted.
        wants_gates: Whether the openings of the gates are wanted.
    """

    rows: list[Ids]
    looks: list[Looks]
    before: State | None
    hostile: NDArray[np.bool_]
    wants_after: bool
    wants_gates: bool

    @property
    def tokens(self) -> int:
        """Number of ids."""
        return sum(map(len, self.rows))

    def choose(self, texts: Sequence[int] | NDArray[Any]) -> "Batch":
        """Return the batch of some texts in another order."""
        picked = np.asarray(texts, np.int64)
        return replace(
            self,
            rows=[self.rows[text] for text in picked],
            looks=[self.looks[text] for text in picked],
            before=None if self.before is None else self.before[picked],
            hostile=self.hostile[picked],
        )

    def head(self, cuts: Sequence[int]) -> "Batch":
        """Return the batch of so many tokens of each text."""
        return replace(
            self,
            rows=[row[:cut] for row, cut in zip(self.rows, cuts, strict=True)],
            looks=[looks[looks <= cut] for looks, cut in zip(self.looks, cuts, strict=True)],
            wants_after=True,
        )

    def tail(self, cuts: Sequence[int], *, before: State) -> "Batch":
        """Return the batch of the tokens behind those of `head`, whose states are `before`."""
        return replace(
            self,
            rows=[row[cut:] for row, cut in zip(self.rows, cuts, strict=True)],
            looks=[looks[looks > cut] - cut for looks, cut in zip(self.looks, cuts, strict=True)],
            before=before,
        )


def draw_batch(random: np.random.Generator, subject: Subject) -> Batch:
    """Return texts of unlike length; some are empty, and a few are long."""
    lengths = [_draw_length(random) for _ in range(choose(random, COUNTS))]
    if subject.shape.is_wide:
        lengths = [min(length, WIDE_TOKENS) for length in lengths]
    return _make_batch(random, subject, lengths)


def draw_long_batch(random: np.random.Generator, subject: Subject, *, tokens: int) -> Batch:
    """Return texts of which one has so many tokens, at any place among them."""
    lengths = [_draw_length(random) for _ in range(choose(random, (0, 1, 4, 12)))]
    lengths.insert(int(random.integers(len(lengths) + 1)), tokens)
    return _make_batch(random, subject, lengths)


def spoil_ids(random: np.random.Generator, subject: Subject, batch: Batch) -> Batch | None:
    """Return the batch with an id that is not in the vocabulary; None where there are no ids."""
    if not batch.tokens:
        return None
    rows = [row.copy() for row in batch.rows]
    row = choose(random, [row for row in rows if len(row)])
    row[random.integers(len(row))] = choose(random, (*BAD_IDS, subject.shape.vocabulary))
    return replace(batch, rows=rows)


def _draw_length(random: np.random.Generator) -> int:
    kind = random.random()
    if kind < 0.15:
        return 0
    if kind > 0.98:
        return int(random.integers(LONGEST))
    return int(random.geometric(1 / USUAL_LENGTH))


def _make_batch(random: np.random.Generator, subject: Subject, lengths: Sequence[int]) -> Batch:
    vocabulary, count = subject.shape.vocabulary, len(lengths)
    known = int(random.integers(2, vocabulary + 1))  # of few words, so that n-grams come again
    hostile = np.zeros(count, np.bool_)
    before = None
    if random.random() < 0.6:
        before = np.empty((count, subject.state_size), np.float32)
        share = choose(random, (0.0, 0.3, 1.0))
        for text in range(count):
            hostile[text] = random.random() < share
            draw = _draw_hostile_state if hostile[text] else _draw_state
            before[text] = draw(random, subject)
    return Batch(
        rows=[random.integers(1, known, length).astype(np.int32) for length in lengths],
        looks=[_draw_looks(random, length) for length in lengths],
        before=before,
        hostile=hostile,
        wants_after=random.random() < 0.6,
        wants_gates=random.random() < 0.4,
    )


def _draw_looks(random: np.random.Generator, length: int) -> Looks:
    """Return no look, that at the end, or some of all that there can be; now and then too many."""
    kind = random.random()
    if kind < 0.4:
        looks = [length]
    elif kind < 0.5:
        looks = []
    else:
        looks = sorted(random.integers(0, length + 1, random.integers(1, 6)))
    if kind > 0.95:  # which never comes
        looks = [*looks, length + 1 + int(random.integers(9))]
    return np.array(looks, np.int64)


def _draw_state(random: np.random.Generator, subject: Subject) -> State:
    """Return a state such as texts lead to."""
    saturated = random.random() < 0.2
    draws: dict[str, Callable[[int], Any]] = {
        "h": lambda n: np.ones(n) if saturated else random.uniform(-1, 1, n),
        "c": lambda n: random.normal(0, 3, n),
        "maximum": lambda n: random.uniform(0, 1, n),
        "mean": lambda n: random.uniform(-1, 1, n),
        "count": lambda n: random.integers(0, choose(random, (2, 1_000, 10_000_000)), n),
        "ngrams": lambda n: random.normal(0, 0.3, n),
        "recent": lambda n: random.integers(0, subject.shape.vocabulary, n),
    }
    state = np.empty(subject.state_size, np.float32)
    for name, place in subject.places.items():
        state[place] = draws[name.rstrip("0123456789")](place.stop - place.start)
    return state


def _draw_hostile_state(random: np.random.Generator, subject: Subject) -> State:
    """Return a state of which some numbers, a tensor or all are such as no text leads to."""
    state = _draw_state(random, subject)
    kind = random.random()
    if kind < 0.5:
        places = random.random(len(state)) < 0.2
        state[places] = random.choice(HOSTILE, np.count_nonzero(places))
    elif kind < 0.8:
        state[choose(random, list(subject.places.values()))] = random.choice(HOSTILE)
    else:
        state[:] = random.choice(HOSTILE)
    return state
