"""Rules for labels, against slower references and where the best one is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from models.decisions import DecisionRule
from tests.rules import LIKELIEST, several
from training.calibration import rule
from training.calibration.metrics import macro_f1
from training.calibration.rule import (
    LOWEST_THRESHOLD,
    choose_rule,
    find_divisors,
    find_thresholds,
)
from training.calibration.scaling import calibrate

# A few probabilities, so that many are equal.
SCORED = st.lists(
    st.tuples(st.sampled_from([0.05, 0.2, 0.2000001, 0.5, 0.9, 1.0]), st.booleans()), min_size=1
)


def best_f1(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the highest F1 that any cut gives."""
    return max(
        f1_score(targets, probabilities >= cut, zero_division=0.0)
        for cut in np.unique(probabilities)
    )


def test_a_label_is_given_from_its_threshold_on() -> None:
    probabilities = np.array([[0.5, 0.29], [0.49, 0.3], [0.1, 0.1]], np.float32)
    each = several(0.5, float(np.float32(0.3)))
    assert each.choose(probabilities).tolist() == [[1, 0], [0, 1], [0, 0]]
    assert LIKELIEST.choose(probabilities).tolist() == [0, 0, 0]


class TestThresholds:
    @pytest.mark.medium
    @given(SCORED)
    def test_no_cut_is_better(self, rows: list[tuple[float, bool]]) -> None:
        probabilities = np.array([[p] for p, _ in rows], np.float32)
        targets = np.array([[t] for _, t in rows], np.int32)
        predicted = several(*find_thresholds(probabilities, targets)).choose(probabilities)
        found = f1_score(targets, predicted, zero_division=0.0)
        assert found == pytest.approx(best_f1(probabilities[:, 0], targets[:, 0]))

    @pytest.mark.medium
    def test_each_label_has_its_own(self) -> None:
        random = np.random.default_rng(0)
        probabilities = random.uniform(0.05, 1, (80, 4)).astype(np.float32)
        targets = (random.random((80, 4)) < probabilities * [1, 0.5, 0.2, 0.05]).astype(np.int32)
        thresholds = find_thresholds(probabilities, targets)
        predicted = several(*thresholds).choose(probabilities)
        assert len(set(thresholds)) == 4
        for column in range(4):
            expected = best_f1(probabilities[:, column], targets[:, column])
            assert f1_score(targets[:, column], predicted[:, column]) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("probabilities", "target", "threshold"),
        [
            ([0.9, 0.6, 0.4, 0.1], [1, 1, 0, 0], 0.5),  # in the middle between two rows
            ([0.9, 0.9, 0.9, 0.1], [1, 0, 0, 0], 0.5),  # equal ones are not told apart
            ([0.7, 0.6], [0, 0], 0.5),  # there is nothing to learn from
            ([0.8, 0.6], [1, 1], 0.3),  # the label is everywhere
            ([0.01, 0.004], [1, 0], LOWEST_THRESHOLD),
            ([0.0, 0.0], [1, 0], LOWEST_THRESHOLD),
        ],
    )
    def test_known(self, probabilities: list[float], target: list[int], threshold: float) -> None:
        columns = np.array([probabilities], np.float32).T, np.array([target], np.int32).T
        assert find_thresholds(*columns) == (pytest.approx(threshold),)


def draw_unequal(rows: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return true probabilities of ten labels, the last rare, and labels drawn from them."""
    random = np.random.default_rng(seed)
    prior = 0.6 ** np.arange(10)
    likely = prior * np.exp(random.normal(0, 1.5, (rows, 10)))
    likely /= likely.sum(axis=1, keepdims=True)
    targets = (likely.cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    return likely.astype(np.float32), targets.astype(np.int32)


class TestDivisors:
    def test_rare_labels_are_given_more_readily(self) -> None:
        probabilities, targets = draw_unequal(4_000)
        divisors = find_divisors(probabilities, targets)
        assert divisors is not None
        assert divisors[0] == 1
        assert sorted(divisors, reverse=True)[:5] == list(divisors[:5])
        fresh, truth = draw_unequal(5_000, seed=1)
        rules = (LIKELIEST, DecisionRule("single_label", divisors))
        scores = [macro_f1(each.choose(fresh), truth, labels=10) for each in rules]
        assert scores[1] > scores[0] + 0.01

    def test_a_gain_that_may_be_chance_changes_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = draw_unequal(300)
        assert find_divisors(*drawn) is None
        monkeypatch.setattr(rule, "SURE", 0)
        assert find_divisors(*drawn) is not None

    def test_where_the_likeliest_is_always_right_nothing_changes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        probabilities, _ = draw_unequal(300)
        monkeypatch.setattr(rule, "SURE", 0)
        assert find_divisors(probabilities, probabilities.argmax(axis=1).astype(np.int32)) is None

    def test_a_label_that_is_never_likely(self) -> None:
        probabilities = np.array([[1.0, 0.0], [0.9, 0.1], [0.4, 0.6]], np.float32)
        assert find_divisors(probabilities[:1], np.array([0], np.int32)) is None
        assert find_divisors(probabilities, np.array([0, 0, 1], np.int32)) is None

    def test_it_is_the_same_every_time(self) -> None:
        assert find_divisors(*draw_unequal(4_000)) == find_divisors(*draw_unequal(4_000))

    def test_only_macro_f1_asks_for_it(self) -> None:
        probabilities, targets = draw_unequal(4_000)
        for score, changed in (("accuracy", False), ("macro_f1", True)):
            found = choose_rule(probabilities, targets, task="single_label", score=score)
            assert (found.thresholds is not None) == changed

    def test_weights_of_the_classes_speak_for_rare_labels_already(self) -> None:
        probabilities, targets = draw_unequal(4_000)
        for biased in (False, True):
            found = calibrate(
                [np.log(probabilities)],
                targets,
                task="single_label",
                score="macro_f1",
                biased=biased,
            )
            assert (found.rule.thresholds is not None) == biased
