"""The records of the cells are complete, and their equations are those of the literature."""

from typing import get_args

import numpy as np
import pytest

from models.cells import CELLS, CellLayer, CellName, run_cell, state_names, weight_names

UNITS, INPUTS = 3, 2


def draw_layer(cell: CellName) -> CellLayer:
    random, record = np.random.default_rng(1), CELLS[cell]
    columns = record.blocks * UNITS
    shapes = {
        "kernel": (INPUTS, columns),
        "recurrent": (UNITS, columns),
        "bias": (columns,) if record.biases == 1 else (record.biases, columns),
    }
    drawn = [random.normal(size=shapes[part]).astype(np.float32) for part in record.weights]
    return CellLayer.of(cell, drawn)


def test_a_name_stands_for_each_record() -> None:
    assert tuple(CELLS) == get_args(CellName)
    assert all(record.name == name for name, record in CELLS.items())
    assert len({record.title for record in CELLS.values()}) == len(CELLS)


@pytest.mark.parametrize("cell", CELLS)
def test_a_record_counts_what_a_layer_has(cell: CellName) -> None:
    layer, record = draw_layer(cell), CELLS[cell]
    assert layer.units == UNITS
    counted = record.count_weights(inputs=INPUTS, units=UNITS)
    assert counted == sum(array.size for array in layer.weights.values())
    products = [array for part, array in layer.weights.items() if part != "bias"]
    multiplications = record.multiplications(inputs=INPUTS, units=UNITS)
    assert multiplications == sum(array.size for array in products)


@pytest.mark.parametrize("cell", CELLS)
def test_pieces_with_the_state_carried_give_the_whole(cell: CellName) -> None:
    layer = draw_layer(cell)
    vectors = np.random.default_rng(2).normal(size=(7, INPUTS)).astype(np.float32)
    whole = run_cell(layer, vectors)
    first = run_cell(layer, vectors[:4])
    second = run_cell(layer, vectors[4:], state=[states[-1] for states in first.states])
    assert len(whole.states) == len(CELLS[cell].states)
    for parts in zip(whole.states, first.states, second.states, strict=True):
        np.testing.assert_allclose(np.concatenate(parts[1:]), parts[0], rtol=1e-5)
    assert tuple(whole.gates) == CELLS[cell].gates
    for gate in whole.gates.values():
        assert gate.shape == (7, UNITS)
        assert 0 < gate.min() < gate.max() < 1


@pytest.mark.parametrize("cell", [name for name, record in CELLS.items() if record.keeps])
def test_the_gate_that_keeps_says_what_stays(cell: CellName) -> None:
    """What changes the content before a step changes that after it by the share that is kept."""
    layer = draw_layer(cell)
    without = {part: np.zeros_like(array) for part, array in layer.weights.items()}
    layer = CellLayer(cell, without | {"bias": layer.weights["bias"]})
    vectors = np.zeros((1, INPUTS), np.float32)
    before = [np.zeros(UNITS, np.float32)] * len(CELLS[cell].states)
    changed = [*before[:-1], before[-1] + 1]  # its content is the last of the state tensors
    traces = [run_cell(layer, vectors, state=state) for state in (before, changed)]
    kept = CELLS[cell].kept(traces[0].gates)
    assert kept is not None
    difference = traces[1].states[-1] - traces[0].states[-1]
    np.testing.assert_allclose(difference, kept, rtol=1e-5)


def test_the_simple_cell_has_no_gate_that_keeps() -> None:
    assert CELLS["rnn"].kept({}) is None


def test_a_version_names_weights_and_states_by_layer() -> None:
    assert weight_names("gru", 1) == [
        "recurrent_1/kernel",
        "recurrent_1/recurrent",
        "recurrent_1/bias",
    ]
    assert state_names("lstm", 0) == ["h0", "c0"]
    assert state_names("gru", 2) == ["h2"]


def test_other_weights_than_the_cell_has_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        CellLayer.of("rnn", [np.zeros((2, 2), np.float32)])
