"""How far a network remembers, against what is known of it."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.cells import CELLS, CellName
from training.comparison.half_lives import LONGEST, half_lives
from training.settings import NetworkSettings

if TYPE_CHECKING:
    import keras

pytestmark = pytest.mark.tensorflow  # which the modules import


def build(cell: CellName, *, units: int = 6) -> "keras.Model":
    from training.network.build import build_network

    shape = NetworkSettings(cell=cell, units=units, embedding=5)
    return build_network(shape, vocabulary=30, labels=3, seed=1)


def draw_rows(*lengths: int) -> list[list[int]]:
    draw = np.random.default_rng(0)
    return [draw.integers(2, 30, length).tolist() for length in lengths]


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_prefixes_are_what_the_network_makes_of_shorter_texts(cell: CellName) -> None:
    from training.network.build import predict_logits
    from training.network.prefixes import prefix_logits

    network, rows = build(cell), draw_rows(9, 4, 1)
    found = dict(prefix_logits(network, rows))
    for number, row in enumerate(rows):
        shorter = [row[: end + 1] for end in range(len(row))]
        assert found[number] == pytest.approx(predict_logits(network, shorter), abs=1e-5)


def test_a_gate_that_keeps_half_has_a_half_life_of_a_token() -> None:
    kept = np.array([[0.5, 0.25, 1.0], [0.5, 1.0, 1.0]], np.float32)
    assert half_lives(kept) == pytest.approx([1.0, 1.0, LONGEST])


def test_half_lives_come_from_the_gate_that_keeps() -> None:
    from training.comparison.half_lives import measure_half_lives

    network = build("lstm")
    kernel, recurrent, bias = network.get_layer("recurrent_0").get_weights()
    bias[6:12] = np.log(3.0)  # of the forget gate, the second of four; s(log 3) is 3 / 4
    network.get_layer("recurrent_0").set_weights([0 * kernel, 0 * recurrent, bias])
    found = measure_half_lives(network, draw_rows(20), cell="lstm")
    assert found == pytest.approx(np.full(6, np.log(2) / np.log(4 / 3)), rel=1e-5)


def test_the_simple_cell_has_no_half_lives() -> None:
    from training.comparison.half_lives import measure_half_lives

    assert measure_half_lives(build("rnn"), draw_rows(5), cell="rnn") is None


def test_the_gradient_of_a_simple_cell_dies_with_its_matrix() -> None:
    from training.comparison.gradients import measure_fading, reach

    network = build("rnn")
    kernel, recurrent, bias = network.get_layer("recurrent_0").get_weights()
    tenth = 0.1 * np.eye(len(recurrent), dtype=np.float32)
    network.get_layer("recurrent_0").set_weights([0.01 * kernel, tenth, bias])  # tanh is straight
    found = measure_fading(network, np.array(draw_rows(6, 6), np.int32))
    assert found.state == pytest.approx(10.0 ** -np.arange(6), rel=0.01)
    assert reach(found.state) in (1, 2)  # 0.01, whichever way it is rounded
    assert found.verdict[0] == 1.0
    assert found.verdict[-1] > 0.1  # the mean of the pool has all tokens


def test_the_gradient_agrees_with_differences() -> None:
    from training.comparison.gradients import measure_fading
    from training.network.build import predict_logits

    network = build("gru")
    table = network.get_layer("embedding").embeddings
    row = [2, 3, 4, 5]  # each once, so that its vector is the token's
    found = measure_fading(network, np.array([row], np.int32))
    label = int(predict_logits(network, [row]).argmax())

    def margin() -> float:
        logits = predict_logits(network, [row])[0].astype(np.float64)
        return float(logits[label] - np.delete(logits, label).max())

    norms = []
    for token in row:
        slopes = []
        for place in range(5):
            before = table.numpy()
            ends = []
            for way in (+1e-3, -1e-3):  # less than to the next kink of the maximum
                moved = before.copy()
                moved[token, place] += way
                table.assign(moved)
                ends.append(margin())
            table.assign(before)
            slopes.append((ends[0] - ends[1]) / 2e-3)
        norms.append(np.linalg.norm(slopes))
    assert found.verdict == pytest.approx(np.array(norms[::-1]) / norms[-1], rel=0.02)


def test_texts_are_long_enough_and_of_one_length() -> None:
    from training.comparison.gradients import choose_texts

    rows = draw_rows(*[40] * 40, *[200] * 10)
    assert choose_texts(rows).shape == (50, 32)
    assert choose_texts(draw_rows(5, 3, 6)).shape == (2, 4)
    assert choose_texts(draw_rows(*[300] * 20, 2)).shape == (20, 256)
    assert choose_texts(draw_rows(*[1] * 40)).shape == (40, 1)


@pytest.mark.parametrize("cell", CELLS)
def test_texts_of_one_token_have_one_distance(cell: CellName) -> None:
    from training.comparison.gradients import choose_texts, measure_fading, reach

    found = measure_fading(build(cell), choose_texts(draw_rows(*[1] * 5)))
    assert found.state.tolist() == found.verdict.tolist() == [1]
    assert reach(found.state) == 0


def test_a_verdict_settles_where_it_becomes_what_it_stays() -> None:
    from training.comparison.interruption import settled

    def logits(*labels: int) -> np.ndarray:
        return np.eye(3, dtype=np.float32)[list(labels)]

    assert settled(logits(1, 1, 1)) == 1
    assert settled(logits(0, 1, 0, 1, 1)) == 4
    assert settled(logits(1, 1, 0)) == 3


def test_neutral_tokens_are_those_of_no_label() -> None:
    from training.comparison import interruption

    rows = [[5, 6, 9], [5, 7, 9], [6, 5, 8], [5, 7, 8]] * 10  # 8 and 9 say the label
    given = np.array([[0, 1], [0, 1], [1, 0], [1, 0]] * 10, bool)
    found = interruption.find_neutral(rows, given, vocabulary=12)
    assert set(found[:3].tolist()) == {5, 6, 7}
    assert set(found[3:].tolist()) == {8, 9}


def test_nothing_put_in_turns_nothing() -> None:
    from training.comparison.interruption import INSERTED, measure_flips

    neutral = np.array([3, 4, 5], np.int32)
    rows = [*draw_rows(7, 9, 2), []]
    found = measure_flips(build("gru"), rows, neutral=neutral, seed=1)
    assert len(found) == len(INSERTED)
    assert found[0] == 0
    assert found == measure_flips(build("gru"), rows, neutral=neutral, seed=1)
