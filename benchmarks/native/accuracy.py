"""Compares the native engine with ONNX Runtime on many texts, and with itself in other company."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import track

from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import StateTensor
from models.versions import Version
from service.engines.batched import compute
from service.engines.native.engine import NativeEngine
from service.engines.native.layout import Precision
from service.engines.protocol import Engine, initial_state

CHUNK = 500  # texts between two steps of the bar
LONGEST_PIECE = 200
MILLION = 1_000_000

console = Console(stderr=True)


@dataclass(frozen=True)
class Errors:
    """How far a precision is from ONNX Runtime.

    Args:
        largest: Largest error of a probability.
        p999: The error that one in a thousand exceeds.
        labels: Texts with another label.
    """

    largest: float
    p999: float
    labels: int


def answer(engine: Engine, rows: Sequence[np.ndarray], *, version: Version) -> Probabilities:
    """Return the probabilities of texts, in batches."""
    state = version.metadata.state
    chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    parts = [
        compute(engine, chunk, state=state)
        for chunk in track(chunks, engine.name, console=console, transient=True)
    ]
    return np.concatenate(parts)


def compare(found: Probabilities, expected: Probabilities, *, version: Version) -> Errors:
    """Return the errors of probabilities (texts, labels)."""
    rule = DecisionRule.of(version.metadata)
    off = np.abs(found - expected).max(axis=1)
    changed = rule.choose(found) != rule.choose(expected)
    labels = int(changed.reshape(len(found), -1).any(axis=1).sum())
    return Errors(float(off.max()), float(np.quantile(off, 0.999)), labels)


def count_other_bits(
    version: Version, rows: Sequence[np.ndarray], expected: Probabilities, *, precision: Precision
) -> tuple[int, int]:
    """Return how many texts get other bits alone, and cut anywhere."""
    engine = NativeEngine.load(version, precision=precision)
    random = np.random.default_rng(0)
    alone = cut = 0
    numbered = list(zip(rows, expected, strict=True))
    for row, whole in track(numbered, "alone and cut", console=console, transient=True):
        alone += not np.array_equal(engine.predict([row])[0], whole)
        pieces = _read_cut(engine, row, random, state=version.metadata.state)
        cut += not np.array_equal(pieces, whole)
    return alone, cut


def _read_cut(
    engine: Engine, row: np.ndarray, random: np.random.Generator, *, state: tuple[StateTensor, ...]
) -> np.ndarray:
    after, start = initial_state(state, batch=1), 0
    while True:
        end = start + int(random.integers(1, LONGEST_PIECE))
        probabilities, after = engine.step([row[start:end]], after)
        if end >= len(row):
            return np.asarray(probabilities[0])
        start = end


def compare_long_text(
    version: Version, rows: Sequence[np.ndarray], *, precision: Precision, exact: Engine
) -> float:
    """Return the largest error over a text of a million tokens, looked at in pieces."""
    text = np.resize(np.concatenate(rows), MILLION)
    engine = NativeEngine.load(version, precision=precision)
    states = [initial_state(version.metadata.state, batch=1) for _ in range(2)]
    worst = 0.0
    for start in track(
        range(0, MILLION, 10_000), "a million tokens", console=console, transient=True
    ):
        piece = [text[start : start + 10_000]]
        one, states[0] = engine.step(piece, states[0])
        for part in range(0, 10_000, 2_000):
            other, states[1] = exact.step([piece[0][part : part + 2_000]], states[1])
        worst = max(worst, float(np.abs(one - other).max()))
    return worst
