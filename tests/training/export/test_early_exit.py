"""That texts are read no further than needed, and that few enough labels change by it."""

import numpy as np
import pytest

from models.early_exit import risk_of
from models.metadata import Stopping
from models.ngram_lookup import NgramLookup
from tests.rules import LIKELIEST, several
from training.export.early_exit import (
    EVERY,
    FEWEST,
    Looks,
    draw_watched,
    fit_early_exit,
    make_looks,
)

pytestmark = pytest.mark.slow  # which fits a rule to thousands of texts


def draw_looks(texts: int, *, drift: float, seed: int = 0, known: float = 0.0) -> Looks:
    """Return looks of made-up texts whose log-odds wander, and drift to one side.

    Args:
        texts: Number of texts.
        drift: Mean change from look to look.
        seed: Decides what is drawn.
        known: Share of the change to come that the n-grams tell; 0 for none.
    """
    random = np.random.default_rng(seed)
    seen, lengths, coming = [], [], []
    for _ in range(texts):
        length = int(random.integers(1, 600))
        steps = random.normal(0, 1, -(-length // EVERY)) + drift * random.choice([-1, 1])
        odds = np.cumsum(steps)
        coming.append(known * np.outer(odds[-1] - odds[:-1], [-0.5, 0.5]))
        p = 1 / (1 + np.exp(-odds))
        seen.append(np.stack([1 - p, p], axis=1).astype(np.float32))
        lengths.append(length)
    return Looks(seen, lengths, rule=LIKELIEST, coming=coming if known else None)


def fit(looks: Looks) -> Stopping:
    stopping = fit_early_exit(looks)
    assert stopping is not None
    return stopping


def read_by(stopping: Stopping, looks: Looks, certainty: str) -> tuple[float, float]:
    return looks.read_by(risk_of(looks.features, stopping), stopping.limits[certainty])


@pytest.fixture(scope="module")
def fitted() -> tuple[Stopping, Looks]:
    """A rule, and what it was fitted to."""
    looks = draw_looks(2_000, drift=0.7)
    return fit(looks), looks


@pytest.fixture(scope="module")
def others() -> Looks:
    """Texts that nothing was fitted to."""
    return draw_looks(4_000, drift=0.7, seed=1)


@pytest.mark.parametrize(
    ("certainty", "allowed"), [("0.9", 0.025), ("0.95", 0.0125), ("0.99", 0.0025)]
)
def test_few_enough_labels_change(
    certainty: str, allowed: float, fitted: tuple[Stopping, Looks], others: Looks
) -> None:
    stopping, looks = fitted
    differing, saved = read_by(stopping, looks, certainty)
    assert differing <= allowed
    assert saved > 0.1
    # And not many more in texts that nothing was fitted to.
    differing, _ = read_by(stopping, others, certainty)
    assert differing <= 2 * allowed


def test_the_surer_the_more_is_read(fitted: tuple[Stopping, Looks]) -> None:
    stopping, looks = fitted
    saved = [read_by(stopping, looks, certainty)[1] for certainty in ("0.9", "0.95", "0.99")]
    assert saved == sorted(saved, reverse=True)


def test_who_takes_every_risk_stops_at_the_first_look() -> None:
    looks = draw_looks(300, drift=0.0)
    _, saved = looks.read_by(np.zeros(len(looks.text)), 0.0)
    first = np.maximum(looks.lengths - EVERY, 0).sum() / looks.lengths.sum()
    assert saved == pytest.approx(first)


def test_what_differs_is_counted_once_for_each_text() -> None:
    seen = [
        np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], np.float32),  # the first look is wrong
        np.array([[0.4, 0.6], [0.1, 0.9]], np.float32),
    ]
    looks = Looks(seen, [3 * EVERY, 2 * EVERY], rule=LIKELIEST)
    assert looks.differs.tolist() == [True, False, False]
    assert looks.left.tolist() == [2 * EVERY, EVERY, EVERY]
    assert looks.read_by(np.zeros(3), 0.0) == (0.5, pytest.approx(3 / 5))


def test_several_labels_differ_if_one_does() -> None:
    seen = [np.array([[0.9, 0.6], [0.9, 0.2]], np.float32)]
    assert Looks(seen, [EVERY + 1], rule=several(0.5, 0.5)).differs.tolist() == [True]
    assert Looks(seen, [EVERY + 1], rule=several(0.5, 0.7)).differs.tolist() == [False]


def test_of_few_or_short_texts_nothing_is_said() -> None:
    assert fit_early_exit(draw_looks(FEWEST - 1, drift=0.0)) is None
    short = Looks([np.array([[0.5, 0.5]], np.float32)] * FEWEST, [EVERY] * FEWEST, rule=LIKELIEST)
    assert fit_early_exit(short) is None


def test_looks_that_lie_in_a_row_find_their_texts() -> None:
    lengths = [0, EVERY, EVERY + 1, 3 * EVERY]
    rows = np.linspace(0.1, 0.9, 1 + 1 + 2 + 3, dtype=np.float32)
    found, texts = np.stack([rows, 1 - rows], axis=1), [[1] * length for length in lengths]
    looks = make_looks(found, texts, rule=LIKELIEST, ngrams=None)
    assert np.bincount(looks.text, minlength=4).tolist() == [0, 0, 1, 2]
    assert (looks.features.shape, looks.ahead) == ((3, 7), False)
    table = NgramLookup(np.zeros((5, 1), np.int8), 1.0, 2)
    looks = make_looks(found, texts, rule=LIKELIEST, ngrams=table)
    assert (looks.features.shape, looks.ahead) == ((3, 8), True)


def test_what_is_to_come_saves_reading() -> None:
    without, known = (draw_looks(2_000, drift=0.5, known=each) for each in (0.0, 0.8))
    rules = [fit(looks) for looks in (without, known)]
    assert [(rule.ahead, len(rule.weights)) for rule in rules] == [(False, 7), (True, 8)]
    (_, little), (_, much) = (
        read_by(rule, looks, "0.95") for rule, looks in zip(rules, (without, known), strict=True)
    )
    assert much > little + 0.1


def test_no_more_are_watched_than_are_needed() -> None:
    assert draw_watched(5).tolist() == [0, 1, 2, 3, 4]
    many = draw_watched(100_000)
    assert len(many) == len(set(many.tolist())) == 2_500
