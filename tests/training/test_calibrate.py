"""Probabilities are made to mean what they say, and no answer changes by it."""

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow  # which the module imports


def draw(temperature: float, *, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Return logits that are `temperature` times too large, and labels drawn from the true ones."""
    random = np.random.default_rng(0)
    true = random.normal(0, 1.5, (rows, 3))
    probabilities = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    labels = (random.random((rows, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return (true * temperature).astype(np.float32), labels.astype(np.int32)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_temperature_is_found(temperature: float) -> None:
    from training.calibrate import find_temperature

    assert find_temperature(*draw(temperature)) == pytest.approx(temperature, rel=0.05)


def test_temperature_is_bounded() -> None:
    from training.calibrate import HIGHEST, LOWEST, find_temperature

    logits = np.array([[1.0, 0.0], [0.0, 1.0]] * 1_000_000, np.float32)
    all_right, all_wrong = np.array([0, 1] * 1_000_000), np.array([1, 0] * 1_000_000)
    assert find_temperature(logits / 10, all_right) == pytest.approx(LOWEST, abs=0.02)
    assert find_temperature(logits, all_wrong) == pytest.approx(HIGHEST, rel=1e-3)


def test_a_few_rows_that_are_right_are_no_reason_to_be_certain() -> None:
    from training.calibrate import find_temperature

    logits = np.array([[3.0, 0.0], [0.0, 3.0]] * 5, np.float32)
    temperature = find_temperature(logits, np.array([0, 1] * 5, np.int32))
    certainty = 1 / (1 + np.exp(-3.0 / temperature))
    assert certainty == pytest.approx(11 / 12, abs=1e-3)


def test_cross_entropy() -> None:
    from training.calibrate import cross_entropy

    logits = np.array([[0.0, 0.0], [1.0, 0.0]], np.float32)
    labels = np.array([0, 0], np.int32)
    second = -(0.75 * np.log(np.e / (np.e + 1)) + 0.25 * np.log(1 / (np.e + 1)))
    assert cross_entropy(logits, labels) == pytest.approx((np.log(2) + second) / 2)
    assert np.isfinite(cross_entropy(logits * 1e4, labels))


def test_folded_into_the_network() -> None:
    import keras

    from training.batches import Examples
    from training.calibrate import calibrate
    from training.network import build_network, predict_logits
    from training.settings import NetworkSettings

    keras.utils.set_random_seed(1)
    settings = NetworkSettings(cell="gru", units=4, embedding=4)
    network = build_network(settings, vocabulary=20, labels=2, seed=1)
    weights = network.get_layer("logits").get_weights()
    network.get_layer("logits").set_weights([weight * 90 + 0.1 for weight in weights])
    random = np.random.default_rng(0)
    ids = [random.integers(2, 20, 8).astype(np.int32) for _ in range(50)]
    before = predict_logits(network, ids)
    temperature = calibrate(network, Examples(ids, random.integers(0, 2, 50).astype(np.int32)))
    assert temperature > 1.5  # the labels are noise, so the logits were far too sure
    np.testing.assert_allclose(predict_logits(network, ids), before / temperature, atol=1e-5)
