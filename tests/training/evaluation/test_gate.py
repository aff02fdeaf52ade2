"""A version goes through the gate unless it, or the data, is worse than before beyond noise."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.metadata import Metadata
from tests.versions import make_metadata

pytestmark = pytest.mark.tensorflow  # the module imports it

ROWS = 1_000


def answers(truth: np.ndarray, *, wrong: int, seed: int = 0) -> np.ndarray:
    """Return probabilities (rows, 2) that are wrong for so many rows."""
    chosen = truth.copy()
    places = np.random.default_rng(seed).permutation(len(truth))[:wrong]
    chosen[places] = 1 - chosen[places]
    return np.where(np.arange(2) == chosen[:, None], 0.9, 0.1).astype(np.float32)


class Case:
    """A training whose version is compared with an old one, both with made-up answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.truth = np.random.default_rng(1).integers(0, 2, ROWS).astype(np.int32)
        self.metadata: Metadata = make_metadata()
        self.labels = ("neg", "pos")
        self._monkeypatch = monkeypatch

    def judge(
        self,
        *,
        new: np.ndarray,
        old: np.ndarray,
        before: float,
        rows: int = ROWS,
        leaked: int = 0,
        parts: int = 0,
        metrics: dict[str, dict[str, float]] | None = None,
    ) -> Any:
        """Return what the gate finds.

        Args:
            new: Answers of the new version.
            old: Those of the old one.
            before: Score of the old one on the validation rows of its own training.
            rows: Number of these rows.
            leaked: Validation rows that also stand in train, the first ones.
            parts: Those behind them that are parts of other rows.
            metrics: Further figures of the old version.
        """
        from training.evaluation import gate

        golden = np.tile(np.float32([0.9, 0.1]), (len(gate.GOLDEN_TEXTS), 1))

        def replay(*_: Any, **__: Any) -> SimpleNamespace:
            return SimpleNamespace(probabilities=np.concatenate([old[leaked + parts :], golden]))

        self._monkeypatch.setattr(gate, "replay", replay)
        known = {"accuracy": before, "macro_f1": before, "rows": float(rows)}
        old_version = SimpleNamespace(
            reference="toy:1",
            path=Path("toy/1"),
            metadata=make_metadata(
                labels=self.labels, metrics={"validation": known, **(metrics or {})}
            ),
            tokenizer=SimpleNamespace(encode_batch=lambda texts: [[2]] * len(texts)),
        )
        validation = SimpleNamespace(
            labels=self.truth, texts=["a text"] * ROWS, rows=np.arange(ROWS) * 2
        )
        run = SimpleNamespace(
            prepared=SimpleNamespace(data=SimpleNamespace(validation=validation)),
            honest=np.arange(ROWS) >= leaked + parts,
            parts_left_out=parts,
            score="accuracy",
        )
        verified = SimpleNamespace(splits={"validation": new}, golden=golden[:, ::-1])
        return gate.judge(run, old_version, verified, metadata=self.metadata)


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Case:
    return Case(monkeypatch)


def test_an_equal_one_passes(case: Case) -> None:
    found = case.judge(
        new=answers(case.truth, wrong=100, seed=1),
        old=answers(case.truth, wrong=100, seed=2),
        before=0.9,
    )
    assert found.passed
    assert (found.new_score, found.old_score, found.rows) == (0.9, 0.9, ROWS)
    assert found.difference["p"] > 0.5


def test_one_that_is_worse_is_refused(case: Case) -> None:
    found = case.judge(
        new=answers(case.truth, wrong=150, seed=1),
        old=answers(case.truth, wrong=100, seed=2),
        before=0.88,
    )
    (reason,) = found.reasons
    assert "worse than toy:1 on the same validation rows: accuracy 85.0" in reason


def test_worse_within_the_noise_passes(case: Case) -> None:
    found = case.judge(
        new=answers(case.truth, wrong=110, seed=1),
        old=answers(case.truth, wrong=100, seed=2),
        before=0.9,
    )
    assert found.passed
    assert found.new_score < found.old_score


def test_data_on_which_both_are_worse_is_refused(case: Case) -> None:
    """As where a tenth of the labels is wrong, those of validation too."""
    found = case.judge(
        new=answers(case.truth, wrong=175, seed=1),
        old=answers(case.truth, wrong=170, seed=2),
        before=0.91,
    )
    (reason,) = found.reasons
    assert "had 91.0" in reason
    assert "the data has changed" in reason
    assert "training inspect" in reason


def test_harder_data_on_which_the_new_one_is_better_passes(case: Case) -> None:
    found = case.judge(
        new=answers(case.truth, wrong=150, seed=1),
        old=answers(case.truth, wrong=250, seed=2),
        before=0.91,
    )
    assert found.passed
    assert found.p_of_fall < 0.001


def test_few_rows_of_old_make_its_score_uncertain(case: Case) -> None:
    new, old = (answers(case.truth, wrong=130, seed=seed) for seed in (1, 2))
    assert not case.judge(new=new, old=old, before=0.91).passed
    assert case.judge(new=new, old=old, before=0.91, rows=50).passed


def test_rows_that_the_old_one_was_trained_on_say_nothing(case: Case) -> None:
    known = answers(case.truth, wrong=30, seed=2)
    found = case.judge(new=answers(case.truth, wrong=170, seed=1), old=known, before=0.83)
    assert found.passed
    assert found.seen
    worse = case.judge(new=answers(case.truth, wrong=300, seed=1), old=known, before=0.83)
    assert worse.reasons == [
        "its accuracy on its validation rows is 70.0\N{NO-BREAK SPACE}%, and toy:1 had "
        "83.0\N{NO-BREAK SPACE}% on those of its own training"
    ]


def test_one_that_is_right_in_all_rows_was_not_trained_on_them_for_that(case: Case) -> None:
    found = case.judge(
        new=answers(case.truth, wrong=8),
        old=answers(case.truth, wrong=0),
        before=0.9996,
        rows=5_000,
    )
    assert not found.seen
    assert not found.passed
    same = answers(case.truth, wrong=0)
    assert case.judge(new=same, old=same, before=0.99).passed


class TestRowsThatDecide:
    """An equal version passes where some validation rows are known from train."""

    @pytest.fixture
    def answered(self, case: Case) -> np.ndarray:
        """Return answers that are right for 300 rows and for 560 of the other 700."""
        rest = answers(case.truth[300:], wrong=140)
        return np.concatenate([answers(case.truth[:300], wrong=0), rest])

    @staticmethod
    def figures(rows: int, score: float = 0.8) -> dict[str, float]:
        return {"accuracy": score, "macro_f1": score, "rows": float(rows)}

    def test_rows_of_train(self, case: Case, answered: np.ndarray) -> None:
        found = case.judge(
            new=answered,
            old=answered,
            before=0.86,
            leaked=300,
            metrics={"validation_without_leaks": self.figures(700)},
        )
        assert (found.passed, found.before, found.rows) == (True, 0.8, 700)

    def test_parts_of_others(self, case: Case, answered: np.ndarray) -> None:
        found = case.judge(
            new=answered,
            old=answered,
            before=0.86,
            leaked=100,
            parts=200,
            metrics={
                "validation_without_leaks": self.figures(900, 0.844),
                "validation_that_decides": self.figures(700),
            },
        )
        assert (found.passed, found.before) == (True, 0.8)

    def test_parts_that_an_older_version_does_not_tell_apart(
        self, case: Case, answered: np.ndarray, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from training.evaluation.gate import print_judgement

        found = case.judge(new=answered, old=answered, before=0.86, parts=300)
        assert (found.passed, found.before) == (True, None)
        print_judgement(found)
        told = " ".join(capsys.readouterr().err.split())
        assert "toy:1 does not record its accuracy on rows that are no parts of others" in told

    def test_fewer_than_decide(self, case: Case) -> None:
        same = answers(case.truth, wrong=100)
        metrics = {"validation_without_leaks": self.figures(50, 0.5)}
        assert case.judge(new=same, old=same, before=0.9, metrics=metrics).before == 0.9


def test_labels_in_another_order_are_matched_by_name(case: Case) -> None:
    case.labels = ("pos", "neg")
    same = answers(case.truth, wrong=0)
    found = case.judge(new=same, old=same[:, ::-1], before=1.0)
    assert found.old_score == 1.0
    assert found.flips == []


def test_flips_are_listed_and_kept(case: Case, tmp_path: Path) -> None:
    from training.evaluation.gate import FILE, print_judgement

    old = answers(case.truth, wrong=0)
    new = old.copy()
    new[7] = new[7, ::-1]
    found = case.judge(new=new, old=old, before=1.0)
    (flip,) = found.flips
    names = [("neg", "pos")[label] for label in (case.truth[7], 1 - case.truth[7])]
    assert (flip.row, flip.before, flip.after) == (14, [names[0]], [names[1]])
    assert flip.truth == flip.before
    assert {(*flip.before, *flip.after) for flip in found.golden_flips} == {("neg", "pos")}
    found.save(tmp_path)
    kept = json.loads((tmp_path / FILE).read_text())
    assert kept["passed"] is True
    assert kept["flips"][0]["row"] == 14
    print_judgement(found)


class TestComparable:
    @staticmethod
    def data(**changes: Any) -> Any:
        return SimpleNamespace(task="single_label", labels=("neg", "pos"), **changes)

    def test_the_same_labels_in_any_order(self) -> None:
        from training.evaluation.comparable import check_comparable

        version: Any = SimpleNamespace(
            reference="toy:1", metadata=make_metadata(labels=("pos", "neg"))
        )
        check_comparable(version, self.data())

    def test_other_labels(self) -> None:
        from training.errors import DataError
        from training.evaluation.comparable import check_comparable

        version: Any = SimpleNamespace(
            reference="toy:1", metadata=make_metadata(labels=("good", "bad"))
        )
        with pytest.raises(DataError, match="toy:1 cannot be compared with.*good, bad.*neg, pos"):
            check_comparable(version, self.data())
