"""The engine in C computes the equations in NumPy, whatever the company of a text."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from models.cells import CELLS, CellName
from models.registry import Store
from service.engines.gates import Layers
from service.engines.native.compilation import INSTRUCTION_SETS
from service.engines.native.engine import NativeEngine
from service.engines.native.layout import PRECISIONS, Precision
from service.engines.native.library import Library, find_library, supported
from service.engines.protocol import initial_state
from tests.service.engines.native.made_up import (
    VOCABULARY,
    draw_rows,
    expect,
    make_engine,
    make_weights,
    tensors_of,
)

STORE = Path(__file__).parents[4] / "models" / "store"
ERRORS: dict[Precision, float] = {"float32": 2e-6, "int16": 5e-4, "int8": 2e-2}
SHAPES = [
    {"units": (1,)},
    {"units": (16,), "labels": 28, "exclusive": False},
    {"units": (37,), "labels": 5},
    {"units": (24, 9), "ngrams": False},
    {"units": (8, 40, 16), "labels": 3},
    {"units": (300,), "labels": 1, "exclusive": False},
]


@pytest.mark.medium
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cell", get_args(CellName))
def test_it_computes_the_equations(
    cell: CellName, shape: dict, precision: Precision, library: Library
) -> None:
    weights = make_weights(cell, **shape)
    rows = draw_rows(1)
    found = make_engine(weights, library=library, precision=precision).predict(rows)
    expected = np.stack([expect(weights, row) for row in rows])
    assert expected.std(axis=0).max() > 1e-3  # so that there is something to agree on
    np.testing.assert_allclose(found, expected, rtol=0, atol=ERRORS[precision])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("cell", get_args(CellName))
def test_company_and_cuts_change_no_bit(
    cell: CellName, precision: Precision, library: Library
) -> None:
    weights = make_weights(cell, units=(20, 33), labels=4)
    engine = make_engine(weights, library=library, precision=precision)
    rows = draw_rows(2)
    whole = engine.predict(rows)
    random = np.random.default_rng(3)
    for row, expected in zip(rows, whole, strict=True):
        np.testing.assert_array_equal(engine.predict([row])[0], expected)
        state, rest = initial_state(tensors_of(weights), batch=1), row
        probabilities, state = engine.step([row[:0]], state)
        while len(rest):
            cut = int(random.integers(0, 60))
            probabilities, state = engine.step([rest[:cut]], state)
            rest = rest[cut:]
        np.testing.assert_array_equal(probabilities[0], expected)


def test_states_are_those_of_the_texts_alone(library: Library) -> None:
    weights = make_weights("lstm", units=(20, 33), labels=4)
    engine = make_engine(weights, library=library, precision="int16")
    rows = draw_rows(4)
    start = initial_state(tensors_of(weights), batch=len(rows))
    _, together = engine.step(rows, start)
    for number, row in enumerate(rows):
        _, alone = engine.step([row], initial_state(tensors_of(weights), batch=1))
        for name, values in alone.items():
            np.testing.assert_array_equal(values[0], together[name][number])
        if len(row) == 0:
            assert all(not values.any() for values in alone.values())
        assert alone["count"][0, 0] == len(row)
        np.testing.assert_array_equal(alone["recent"][0], np.append(np.zeros(130), row)[-130:])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cell", get_args(CellName))
def test_gates_open_as_in_the_equations(
    cell: CellName, shape: dict, precision: Precision, library: Library
) -> None:
    weights = make_weights(cell, **shape)
    engine = make_engine(weights, library=library, precision=precision)
    layers = Layers(weights.embedding, weights.layers)
    row = draw_rows(6)[2]
    cut = len(row) // 3
    first, rest = [row[:cut]], row[cut:]
    _, state = engine.step(first, initial_state(tensors_of(weights), batch=1))
    after = {name: values[0] for name, values in state.items()}
    for ids, before in ((row, None), (rest, after), (row[:0], None)):
        found = engine.open_gates(ids, before)
        expected = layers.open_gates(ids, before)
        assert found.shape == (len(ids), len(weights.layers), len(CELLS[cell].gates))
        np.testing.assert_allclose(found, expected, rtol=0, atol=ERRORS[precision])
    np.testing.assert_array_equal(
        engine.open_gates(rest, after), engine.open_gates(row, None)[cut:]
    )


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("cell", get_args(CellName))
def test_every_instruction_set_gives_the_same_bits(
    cell: CellName, precision: Precision, library: Library
) -> None:
    weights = make_weights(cell, units=(48, 20), labels=3)
    rows = draw_rows(5)
    engine = make_engine(weights, library=library, precision=precision)
    expected, gates = engine.predict(rows), engine.open_gates(rows[2], None)
    names = supported()
    assert set(names) <= {each.name for each in INSTRUCTION_SETS}
    assert "portable" in names
    for name in names:
        other = make_engine(weights, library=find_library(name), precision=precision)
        np.testing.assert_array_equal(other.predict(rows), expected)
        np.testing.assert_array_equal(other.open_gates(rows[2], None), gates)


@pytest.mark.parametrize("bad", [0, -1, VOCABULARY, 2**31 - 1, -(2**31)])
def test_ids_outside_the_vocabulary_are_refused(bad: int, library: Library) -> None:
    engine = make_engine(make_weights("gru"), library=library)
    with pytest.raises(ValueError, match=f"ids must be from 1 to {VOCABULARY - 1}"):
        engine.predict([[3, 4], [5, bad, 6]])
    with pytest.raises(OverflowError):
        engine.predict([[2**31]])
    np.testing.assert_allclose(engine.predict([[3]]).sum(), 1, rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -1e30, 7.5])
@pytest.mark.parametrize("cell", get_args(CellName))
def test_states_from_outside_do_no_harm(cell: CellName, value: float, library: Library) -> None:
    weights = make_weights(cell, units=(20,))
    for precision in PRECISIONS:
        engine = make_engine(weights, library=library, precision=precision)
        state = initial_state(tensors_of(weights), batch=2)
        state = {name: np.full_like(values, value) for name, values in state.items()}
        state["h0"][1] = state["count"][1] = state["mean"][1] = 0  # only some are bad
        probabilities, after = engine.step([[3, 4, 5], []], state)
        assert probabilities.shape == (2, 2)
        assert np.abs(after["h0"]).max() <= 1


@pytest.mark.medium
@pytest.mark.parametrize("model", ["imdb-gru", "imdb-lstm"])
def test_shipped_versions_are_read(model: str, library: Library) -> None:
    version = Store(STORE).resolve(model)
    for precision, error in {"float32": 1e-5, "int16": 5e-4, "int8": 2e-2}.items():
        engine = NativeEngine.load(version, precision=precision, library=library)
        version.golden.check_probabilities(engine.predict, tolerance=error)
        assert engine.tolerance >= error
