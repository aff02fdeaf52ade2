"""Contestants are equal in what they say they are equal in."""

import pytest

from models.cells import CELLS, CellName
from training.comparison.candidates import (
    count_weights,
    find_units,
    keep_started,
    list_contestants,
    order_by_cost,
)
from training.settings import NetworkSettings


@pytest.mark.tensorflow
@pytest.mark.parametrize("cell", CELLS)
def test_weights_are_counted_as_keras_counts_them(cell: CellName) -> None:
    from training.network.build import build_network

    shape = NetworkSettings(cell=cell, units=7, embedding=5)
    network = build_network(shape, vocabulary=11, labels=3, seed=0)
    counted = count_weights(cell, units=7, embedding=5, labels=3)
    assert counted == network.count_params() - 11 * 5


def test_every_cell_takes_part_under_both_conditions() -> None:
    found = list_contestants(("rnn", "gru", "lstm"), units=128, embedding=128, labels=2)
    assert [each.name for each in found[:3]] == ["simple cell 128", "GRU 128", "LSTM 128"]
    for condition in ("equal width", "equal weights"):
        cells = [each.cell for each in found if condition in each.conditions]
        assert sorted(cells) == ["gru", "lstm", "rnn"]
    assert len({each.key for each in found}) == len(found) == 5


def test_equal_weights_are_as_equal_as_widths_allow() -> None:
    found = list_contestants(("rnn", "gru", "lstm"), units=128, embedding=128, labels=2)
    weights = [
        count_weights(each.cell, units=each.units, embedding=128, labels=2)
        for each in found
        if "equal weights" in each.conditions
    ]
    assert max(weights) / min(weights) < 1.01


def test_cells_with_a_start_take_part_at_its_width_alone() -> None:
    contestants = list_contestants(("rnn", "gru", "lstm"), units=128, embedding=128, labels=2)
    found = keep_started(contestants, {"gru", "lstm"}, units=128)
    assert [each.name for each in found] == ["GRU 128", "LSTM 128"]
    assert {each.conditions for each in found} == {("equal width",)}


def test_without_a_gru_the_first_cell_is_the_reference() -> None:
    found = list_contestants(("lstm", "rnn"), units=16, embedding=8, labels=2)
    assert found[0].conditions == ("equal width", "equal weights")


def test_a_cell_alone_takes_part_once() -> None:
    (alone,) = list_contestants(("rnn",), units=16, embedding=8, labels=2)
    assert alone.conditions == ("equal width", "equal weights")


def test_the_width_found_is_the_nearest() -> None:
    units = find_units("lstm", weights=10_000, embedding=20, labels=4)
    off = [
        abs(count_weights("lstm", units=near, embedding=20, labels=4) - 10_000)
        for near in (units - 1, units, units + 1)
    ]
    assert min(off) == off[1]


def test_gates_cost_multiplications() -> None:
    found = list_contestants(("rnn", "gru", "lstm"), units=10, embedding=30, labels=2)
    assert [each.multiplications(30) for each in found[:3]] == [400, 1_200, 1_600]


def test_of_those_with_equal_weights_the_smallest_state_is_cheapest() -> None:
    found = list_contestants(("rnn", "gru", "lstm"), units=128, embedding=128, labels=2)
    ordered = [each.name for each in order_by_cost(found, embedding=128)]
    assert ordered == ["simple cell 128", "GRU 128", "LSTM 106", "simple cell 256", "LSTM 128"]
