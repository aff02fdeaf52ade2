"""Where the answer is known, the verdict gives it."""

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.training.labelled_files import Row
from tests.training.test_run import make_run
from training.linear import ngrams
from training.settings import FitSettings, NetworkSettings

if TYPE_CHECKING:
    from training.comparison.summary import Summary

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]  # TensorFlow: the modules import it

FILLER = [f"w{number}" for number in range(20)]
MODES = ("aye", "nay")


def first_of_many(rows: int, *, tokens: int = 300) -> list[Row]:
    """Return texts whose first word says which of two words, anywhere later, decides.

    That the first word itself decides would be no question of memory: a cell knows it for the first
    by its state, which is zero before it and never after, and the pool keeps what was noticed.
    """
    draw = random.Random(1)
    found = []
    for _ in range(rows):
        first, warmth, size = (draw.choice(p) for p in (MODES, ("hot", "cold"), ("big", "small")))
        rest = draw.choices(FILLER, k=tokens - 1)
        here, there = draw.sample(range(tokens - 1), 2)
        rest[here], rest[there] = warmth, size
        good = warmth == "hot" if first == "aye" else size == "big"
        found.append((" ".join([first, *rest]), "good" if good else "bad"))
    return found


def order_of_two(rows: int, *, tokens: int = 20) -> list[Row]:
    """Return texts in which the same two words decide by their order."""
    draw = random.Random(2)
    found = []
    for _ in range(rows):
        words, pair = draw.choices(FILLER, k=tokens), draw.choice([["not", "bad"], ["bad", "not"]])
        place = draw.randrange(tokens)
        text = " ".join([*words[:place], *pair, *words[place:]])
        found.append((text, "good" if pair[0] == "not" else "bad"))
    return found


def compare(folder: Path, rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> "Summary":
    """Compare two cells; measure little of what the verdict does not depend on."""
    from training.comparison import compare as module
    from training.comparison import examine, gradients, interruption, summary
    from training.comparison.compare import Plan, compare

    monkeypatch.setattr(module, "write_comparison", lambda *_, **__: None)
    monkeypatch.setattr(gradients, "SPANS", (8, 4, 2, 1))
    monkeypatch.setattr(interruption, "TEXTS", 10)
    for each in (interruption, summary):
        monkeypatch.setattr(each, "INSERTED", (0, 10))
    engine = {"texts": [1.0] * 5, "token": 0.1, "microseconds": 2.0}
    cost = {"megabytes": 1.0, "engines": {"onnx": engine, "savedmodel": engine}}
    monkeypatch.setattr(examine, "_price", lambda *_: cost)
    monkeypatch.setattr(ngrams, "TABLE_BYTES", 1)
    run = make_run(
        folder,
        rows=rows,
        resume=False,
        network=NetworkSettings(cell="gru", units=24, embedding=32),
        fit=FitSettings(adversarial=0.0, epochs=3, patience=1, learning_rate=1e-2),
    )
    return compare(run, Plan(cells=("rnn", "gru"), seeds=1), folder=folder / "out")


def test_a_gated_cell_where_the_first_word_of_three_hundred_has_to_be_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = compare(tmp_path, first_of_many(1_500), monkeypatch)
    assert summary["verdict"]["cell"].startswith("gru")
    assert not summary["verdict"]["linear"]


def test_the_linear_baseline_where_two_words_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = compare(tmp_path, order_of_two(600), monkeypatch)
    assert summary["verdict"]["linear"]
