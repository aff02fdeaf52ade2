"""Probabilities are made to mean what they say, by weights found the slow way too."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, log_softmax, softmax

from training.calibration.scaling import BIAS_DEVIATION, HIGHEST, cross_entropy, unscaled, weigh

EXACT = {"single_label": softmax, "multi_label": expit}


def exact(task: str, logits: np.ndarray) -> np.ndarray:
    return softmax(logits, axis=1) if task == "single_label" else expit(logits)


def draw(task: str, *, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, and targets drawn from what they say."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, (rows, 3))
    if task == "multi_label":
        return logits, (random.random(logits.shape) < expit(logits)).astype(np.int32)
    drawn = random.random((rows, 1)) > softmax(logits, axis=1).cumsum(axis=1)
    return logits, drawn.sum(axis=1).astype(np.int32)


def loss_of(logits: np.ndarray, targets: np.ndarray, *, task: str) -> float:
    """Return the mean cross-entropy of targets of which a part is taken away, as Platt does."""
    rest = 1 / (len(targets) + 2)
    if task == "single_label":
        others = logits.shape[1] - 1
        wanted = np.where(np.eye(others + 1)[targets] == 1, 1 - rest, rest / others)
        return -(wanted * log_softmax(logits, axis=1)).sum(axis=1).mean()
    wanted = np.where(targets == 1, 1 - rest, rest)
    return -(wanted * log_expit(logits) + (1 - wanted) * log_expit(-logits)).sum(axis=1).mean()


@pytest.mark.parametrize("task", EXACT)
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_temperature_is_found(task: str, temperature: float) -> None:
    logits, targets = draw(task)
    (weight,) = weigh([logits * temperature], targets, task=task).weights
    assert 1 / weight == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("task", EXACT)
def test_no_weight_of_one_half_is_better(task: str) -> None:
    logits, targets = draw(task, rows=100)
    (weight,) = weigh([3 * logits], targets, task=task, biased=False).weights
    tried = np.linspace(0, 2, 2_001)
    losses = [loss_of(3 * logits * each, targets, task=task) for each in tried]
    assert weight == pytest.approx(tried[np.argmin(losses)], abs=1e-3)


@pytest.mark.parametrize("task", EXACT)
def test_no_weights_of_two_halves_are_better(task: str) -> None:
    logits, targets = draw(task, rows=200)
    noise = np.random.default_rng(1).normal(0, 1, logits.shape)
    halves = [0.5 * logits + noise, 2 * logits - noise]  # the noise of one is that of the other
    found = weigh(halves, targets, task=task, biased=False).weights

    def loss(weights: tuple[float, ...]) -> float:
        joined = sum(weight * half for weight, half in zip(weights, halves, strict=True))
        return loss_of(joined, targets, task=task)

    grid = np.linspace(0, 1, 41)
    assert loss(found) <= min(loss((one, other)) for one in grid for other in grid) + 1e-6
    assert found == pytest.approx([0.4, 0.4], abs=0.1)  # 0.4 * (0.5 + 2) = 1, without noise


@pytest.mark.parametrize("task", EXACT)
def test_a_half_that_is_always_wrong_is_left_out(task: str) -> None:
    logits, targets = draw(task, rows=1_000)
    noise = np.random.default_rng(1).normal(0, 1, logits.shape)
    network, ngrams = weigh([noise - logits, logits], targets, task=task).weights
    assert network == 0
    assert ngrams == pytest.approx(1, rel=0.2)
    assert weigh([-logits], targets, task=task).weights == (0,)


@pytest.mark.parametrize("task", EXACT)
def test_labels_that_are_said_too_often_are_said_less(task: str) -> None:
    logits, targets = draw(task)
    wrong = np.array([0.5, -0.25, -0.25], np.float32)
    found = weigh([logits + wrong], targets, task=task)
    assert found.bias == pytest.approx(-wrong, abs=0.06)
    assert found.weights == pytest.approx((1,), rel=0.05)


@pytest.mark.parametrize("task", EXACT)
def test_no_bias_is_better(task: str) -> None:
    logits, targets = draw(task, rows=100)
    found = weigh([logits], targets, task=task)

    def loss(bias: np.ndarray) -> float:
        prior = (bias**2).sum() / (2 * BIAS_DEVIATION**2 * len(targets))
        return loss_of(found.weights[0] * logits + bias, targets, task=task) + prior

    least = loss(found.bias)
    for step in np.random.default_rng(0).normal(0, 0.05, (200, 3)):
        assert least <= loss(found.bias + step) + 1e-9


def test_few_rows_are_no_reason_for_a_large_bias() -> None:
    logits, targets = np.zeros((4, 2)), np.ones(4, np.int32)
    few = weigh([logits], targets, task="single_label").bias
    many = weigh([np.zeros((4_000, 2))], np.ones(4_000, np.int32), task="single_label").bias
    assert 0 < few[1] < BIAS_DEVIATION
    assert many[1] > 2


@pytest.mark.parametrize("task", EXACT)
def test_a_bias_can_be_left_out(task: str) -> None:
    logits, targets = draw(task, rows=1_000)
    found = weigh([logits + np.eye(3)[0]], targets, task=task, biased=False)
    assert found.bias.tolist() == [0, 0, 0]
    loosely = {"rel": 1e-4, "abs": 1e-6}
    joined = found.probabilities([logits], task=task)
    assert joined == pytest.approx(exact(task, found.weights[0] * logits), **loosely)


@pytest.mark.parametrize("task", EXACT)
def test_unscaled_leaves_halves_as_they_are(task: str) -> None:
    logits, _ = draw(task, rows=5)
    joined = unscaled([logits, -0.5 * logits]).add([logits, -0.5 * logits])
    assert joined == pytest.approx(0.5 * logits)


@pytest.mark.medium
def test_weights_are_bounded() -> None:
    targets = np.array([0, 1] * 1_000_000)
    logits = np.eye(2, dtype=np.float32)[targets] / 1_000
    assert weigh([logits], targets, task="single_label").weights == (HIGHEST,)


@pytest.mark.parametrize("task", EXACT)
def test_a_few_rows_that_are_right_are_no_reason_to_be_certain(task: str) -> None:
    targets = np.array([0, 1] * 5)
    logits = (np.eye(2) - 0.5)[targets] * 6
    if task == "multi_label":
        (weight,) = weigh([logits], np.eye(2, dtype=np.int32)[targets], task=task).weights
        certainty = expit(3 * weight)
    else:
        (weight,) = weigh([logits], targets, task=task).weights
        certainty = expit(6 * weight)
    assert certainty == pytest.approx(11 / 12, abs=1e-3)


def test_a_half_that_says_nothing_does_no_harm() -> None:
    logits, targets = draw("single_label")
    weight, _ = weigh([logits, np.zeros_like(logits)], targets, task="single_label").weights
    assert weight == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("task", EXACT)
def test_cross_entropy(task: str) -> None:
    logits, targets = draw(task, rows=50)
    expected = loss_of(logits, targets, task=task)
    assert cross_entropy(logits, targets, task=task) == pytest.approx(expected)
    assert np.isfinite(cross_entropy(logits * 1e4, targets, task=task))


def test_cross_entropy_by_hand() -> None:
    logits, targets = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0, 0])
    second = -(0.75 * np.log(np.e / (np.e + 1)) + 0.25 * np.log(1 / (np.e + 1)))
    found = cross_entropy(logits, targets, task="single_label")
    assert found == pytest.approx((np.log(2) + second) / 2)
