"""An export that an engine cannot run, or that answers otherwise, is not published."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.replay import ReplayResult
from tests.rules import LIKELIEST

if TYPE_CHECKING:
    from training.export.verify import VerifiedExport

pytestmark = pytest.mark.tensorflow  # which the module imports


def test_a_version_that_no_engine_can_run(tmp_path, capfd: pytest.CaptureFixture[str]) -> None:
    from training.errors import ExportError
    from training.replay import replay

    with pytest.raises(ExportError, match=r"^the onnx engine cannot run the exported version$"):
        replay(tmp_path, [[1, 2]], engine="onnx", timed=np.array([0]))
    stage, told = capfd.readouterr().err.splitlines()
    assert stage == "checking with onnx"
    assert told.startswith("onnx: ")


LABELS, SPLITS = 3, {"validation": [[1, 2], [3] * 40, [4]], "test": [[5, 6]]}
THREE = ("onnx", "savedmodel", "third")


class Trained:
    """Stands for a classifier: what it says of a row depends on its tokens alone."""

    rule = LIKELIEST
    ngram_lookup = None

    @property
    def network(self) -> Any:
        embedding = SimpleNamespace(input_dim=50)
        return SimpleNamespace(get_layer=lambda _name: embedding)

    def probabilities(self, rows: Any) -> np.ndarray:
        raw = np.array([[1 + len(row), 2 + sum(row) % 7, 3] for row in rows], np.float32)
        return raw / raw.sum(axis=1, keepdims=True)


class Replayed:
    """Stands for processes that compute as a trained classifier does, but for what is wrong.

    Args:
        wrong: By engine, how far its first and its last row are off.
    """

    def __init__(self, **wrong: tuple[float, float]) -> None:
        self.asked: dict[str, dict[str, Any]] = {}
        self._wrong = wrong

    def __call__(self, _folder: Path, rows: Any, *, engine: str, **options: Any) -> ReplayResult:
        self.asked[engine] = options
        probabilities = Trained().probabilities(rows)
        first, last = self._wrong.get(engine, (0.0, 0.0))
        probabilities[0] += first
        probabilities[-1] += last
        every = options["every"]
        looks = [
            Trained().probabilities([rows[n][: start + every]])
            for n in options["watched"]
            for start in range(0, max(1, len(rows[n])), every)
        ]
        return ReplayResult(
            probabilities=probabilities,
            milliseconds=np.array([1.0, 3.0, 2.0]) * (1 + list(THREE).index(engine)),
            looks=np.concatenate([np.empty((0, LABELS), np.float32), *looks]),
            looking=1.0,
        )


class Reference:
    """Stands for the reference in double precision, which a `Trained` agrees with."""

    @classmethod
    def of(cls, _classifier: Any) -> "Reference":
        return cls()

    def answer(self, rows: Any) -> Any:
        from training.export.reference import ReferenceAnswers

        logits = np.log(Trained().probabilities(rows).astype(np.float64))
        return ReferenceAnswers(
            logits=logits, rounding=np.full(len(rows), 1e-7), task="single_label"
        )


def verify(
    monkeypatch: pytest.MonkeyPatch, replayed: Replayed, *, trained: Any = None
) -> "VerifiedExport":
    from training.export import verify as module

    monkeypatch.setattr(module, "EXACT_ENGINES", THREE)
    monkeypatch.setattr(module, "replay", replayed)
    monkeypatch.setattr(module, "ReferenceClassifier", Reference)
    classifier = trained or Trained()
    return module.verify_export(classifier, Path("nowhere"), golden=[[], [7, 8]], splits=SPLITS)


def test_three_engines_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    replayed = Replayed()
    verified = verify(monkeypatch, replayed)
    assert list(replayed.asked) == list(THREE)
    assert verified.milliseconds == {"onnx": 2.0, "savedmodel": 4.0, "third": 6.0}
    np.testing.assert_array_equal(verified.golden, Trained().probabilities([[], [7, 8]]))
    for name, rows in SPLITS.items():
        np.testing.assert_array_equal(verified.splits[name], Trained().probabilities(rows))
    counts = {engine: len(asked["watched"]) for engine, asked in replayed.asked.items()}
    assert counts == {"onnx": len(SPLITS["validation"]), "savedmodel": 0, "third": 0}
    assert verified.looks.lengths.tolist() == [2, 40, 1]


@pytest.mark.parametrize("engine", THREE)
@pytest.mark.parametrize("wrong", [(0.01, 0.0), (0.0, 0.01), (0.0, -0.01)])
def test_every_engine_is_compared_on_checked_rows_and_on_splits(
    engine: str, wrong: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.errors import ExportError

    said = rf"^the export is wrong: {engine} differs from the trained network by 0\.01 in"
    with pytest.raises(ExportError, match=said):
        verify(monkeypatch, Replayed(**{engine: wrong}))


@pytest.mark.parametrize("place", [(np.nan, 0.0), (0.0, np.nan), (np.inf, 0.0)])
def test_no_number_is_found_on_every_row(
    place: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.errors import ExportError

    with pytest.raises(ExportError, match=r"^the export is wrong: third answers what is no number"):
        verify(monkeypatch, Replayed(third=place))


def test_what_does_not_matter_is_said_and_no_reason_to_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verified = verify(monkeypatch, Replayed(savedmodel=(4e-5, 0.0)))
    (note,) = [line for line in capsys.readouterr().err.splitlines() if "note" in line]
    assert note.startswith("note: savedmodel differs from the trained network by 4e-05 in a")
    assert note.endswith("times what rounding explains; too little to matter")
    assert verified.steady.tolist() == [False, True]


def test_training_itself_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.errors import ExportError

    class Wrong(Trained):
        def probabilities(self, rows: Any) -> np.ndarray:
            return super().probabilities(rows) + 0.01

    with pytest.raises(ExportError, match=r"^the export is wrong: training differs from"):
        verify(monkeypatch, Replayed(), trained=Wrong())


def test_training_computes_in_whole_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorflow import config

    found = []

    class Watched(Trained):
        def probabilities(self, rows: Any) -> np.ndarray:
            found.append(config.experimental.tensor_float_32_execution_enabled())
            return super().probabilities(rows)

    verify(monkeypatch, Replayed(), trained=Watched())
    assert found == [False]
    assert config.experimental.tensor_float_32_execution_enabled()


def test_judged_rows_of_the_splits_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.export import verify as module

    rows = [[1] * length for length in (3, 6_000, 900, 900, 4)]
    same = SimpleNamespace(probabilities=np.full((5, 2), 0.5))
    results: Any = {"onnx": same, "savedmodel": same}
    assert module._choose_judged(results, rows, first=0) == [0, 2, 3, 4]
    assert module._choose_judged(results, rows, first=2) == [2, 3, 4]
    monkeypatch.setattr(module, "JUDGED_TOKENS", 1_000)
    assert sum(len(rows[row]) for row in module._choose_judged(results, rows, first=0)) <= 1_000
