"""What a fit strives for, against NumPy."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, log_softmax

from training.calibration.metrics import measure
from training.calibration.rule import choose_rule
from training.calibration.scaling import weigh

pytestmark = pytest.mark.tensorflow  # which the module imports

SEVERAL = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]], np.int32)


class TestScore:
    @pytest.mark.parametrize(
        ("counts", "expected"),
        [
            ([10, 10], "accuracy"),
            ([10, 15], "accuracy"),
            ([10, 16], "macro_f1"),
            ([100, 100, 1], "macro_f1"),
            ([10, 0, 10], "accuracy"),  # there is nothing to find of the second
        ],
    )
    def test_depends_on_how_equal_classes_are(self, counts: list[int], expected: str) -> None:
        from training.fitting.objective import choose_score

        targets = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        assert choose_score(targets, labels=len(counts)) == expected

    def test_several_labels_are_judged_by_f1(self) -> None:
        from training.fitting.objective import choose_score

        assert choose_score(np.eye(2, dtype=np.int32), labels=2) == "macro_f1"


class TestClassWeights:
    TARGETS = np.repeat(np.arange(3, dtype=np.int32), [80, 16, 4])

    def weights(self, targets: np.ndarray, kind: str, *, labels: int = 3) -> np.ndarray:
        from training.fitting.objective import weigh_classes

        weights = weigh_classes(targets, labels=labels, kind=kind)
        assert (weights.dtype, weights.shape) == (np.float32, (labels,))
        return weights

    @pytest.mark.parametrize("targets", [TARGETS, SEVERAL])
    def test_none(self, targets: np.ndarray) -> None:
        assert self.weights(targets, "none").tolist() == [1, 1, 1]

    def test_balanced_gives_each_class_the_same_say(self) -> None:
        weights = self.weights(self.TARGETS, "balanced")
        say = weights * np.bincount(self.TARGETS)
        np.testing.assert_allclose(say, say[0], rtol=1e-6)

    def test_sqrt_is_in_between(self) -> None:
        weights = self.weights(self.TARGETS, "sqrt")
        assert weights[1] / weights[0] == pytest.approx(np.sqrt(80 / 16))
        assert weights[2] / weights[1] == pytest.approx(np.sqrt(16 / 4))

    @pytest.mark.parametrize("kind", ["sqrt", "balanced"])
    def test_the_loss_keeps_its_size(self, kind: str) -> None:
        assert self.weights(self.TARGETS, kind)[self.TARGETS].mean() == pytest.approx(1)

    def test_of_several_labels_presence_against_absence(self) -> None:
        assert self.weights(SEVERAL, "balanced") == pytest.approx([1 / 3, 3, 3])
        assert self.weights(SEVERAL, "sqrt") == pytest.approx(np.sqrt([1 / 3, 3, 3]))

    @pytest.mark.parametrize("kind", ["sqrt", "balanced"])
    def test_a_label_of_no_row_or_of_all_has_a_weight(self, kind: str) -> None:
        everywhere = np.array([[1, 0], [1, 0]], np.int32)
        for targets in (np.array([0, 0, 1], np.int32), everywhere):
            labels = 3 if targets.ndim == 1 else 2
            weights = self.weights(targets, kind, labels=labels)
            assert np.isfinite(weights).all()
            assert (weights > 0).all()


class TestLoss:
    LOGITS = np.random.default_rng(0).normal(0, 3, (5, 3)).astype(np.float32)
    WEIGHTS = np.array([0.5, 1, 4], np.float32)

    def loss(self, targets: np.ndarray, *, task: str, logits: np.ndarray = LOGITS) -> float:
        from training.fitting.objective import make_loss

        return float(make_loss(self.WEIGHTS, task=task)(targets, logits))

    def test_of_one_label_per_row(self) -> None:
        labels = np.array([0, 2, 1, 1, 0])
        rows = -log_softmax(self.LOGITS, axis=1)[np.arange(5), labels]
        expected = np.mean(rows * self.WEIGHTS[labels])
        found = self.loss(np.eye(3, dtype=np.float32)[labels], task="single_label")
        assert found == pytest.approx(expected, rel=1e-5)

    def test_of_several_labels_per_row(self) -> None:
        targets = np.random.default_rng(1).integers(0, 2, (5, 3)).astype(np.float32)
        present = self.WEIGHTS * targets * log_expit(self.LOGITS)
        absent = (1 - targets) * log_expit(-self.LOGITS)
        found = self.loss(targets, task="multi_label")
        assert found == pytest.approx(-(present + absent).sum(axis=1).mean(), rel=1e-5)

    def test_of_soft_targets(self) -> None:
        targets = np.full((5, 3), 1 / 3, np.float32)
        expected = -(log_softmax(self.LOGITS, axis=1) / 3).sum(axis=1) * self.WEIGHTS.mean()
        found = self.loss(targets, task="single_label")
        assert found == pytest.approx(expected.mean(), rel=1e-5)

    @pytest.mark.parametrize("task", ["single_label", "multi_label"])
    def test_of_large_logits_is_finite(self, task: str) -> None:
        targets = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]
        assert np.isfinite(self.loss(targets, task=task, logits=1e4 * self.LOGITS))


class TestJudge:
    def judge(self, targets: np.ndarray, logits: np.ndarray, **options):
        from training.fitting.objective import make_judge

        return make_judge(targets, **options)(logits)

    def draw(self, task: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return targets, and two noisy opinions of them."""
        random = np.random.default_rng(0)
        logits = random.normal(0, 2, (200, 3)).astype(np.float32)
        if task == "single_label":
            targets = logits.argmax(axis=1).astype(np.int32)
        else:
            targets = (random.random((200, 3)) < expit(logits)).astype(np.int32)
        one, other = (logits + random.normal(0, 2, (2, 200, 3))).astype(np.float32)
        return targets, one, other

    @pytest.mark.parametrize("task", ["single_label", "multi_label"])
    def test_sees_what_would_be_published(self, task: str) -> None:
        targets, network, ngrams = self.draw(task)
        found = self.judge(targets, network, task=task, score="accuracy", ngram_logits=ngrams)
        scaling = weigh([network, ngrams], targets, task=task)
        joined = scaling.probabilities([network, ngrams], task=task)
        rule = choose_rule(joined, targets, task=task, score="accuracy")
        expected = measure(joined, targets, rule=rule)
        share = expected["accuracy"]
        assert found == {
            **{name: pytest.approx(expected[name]) for name in ("accuracy", "macro_f1")},
            "log_loss": pytest.approx(expected["log_loss"], rel=1e-4),
            "score": pytest.approx(expected["accuracy"]),
            "noise": pytest.approx(np.sqrt(share * (1 - share) / 200)),
        }

    def test_without_ngrams(self) -> None:
        targets, network, _ = self.draw("single_label")
        options = {"task": "single_label", "ngram_logits": None}
        sure = self.judge(targets, 9 * network, score="macro_f1", **options)
        assert sure["score"] == sure["macro_f1"]
        # The scale of the logits is no merit: they are weighed first.
        assert sure == pytest.approx(
            self.judge(targets, network, score="macro_f1", **options), rel=1e-3
        )
