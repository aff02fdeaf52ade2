"""An export that an engine cannot run, or that answers otherwise, is not published."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.replay import ReplayResult

if TYPE_CHECKING:
    from training.export.verify import VerifiedExport

pytestmark = pytest.mark.tensorflow  # which the module imports


def test_a_version_that_no_engine_can_run(tmp_path, capfd: pytest.CaptureFixture[str]) -> None:
    from training.errors import ExportError
    from training.export.replay import replay

    with pytest.raises(ExportError, match=r"^the onnx engine cannot run the exported version$"):
        replay(tmp_path, [[1, 2]], engine="onnx", timed=np.array([0]))
    stage, told = capfd.readouterr().err.splitlines()
    assert stage == "checking with onnx"
    assert told.startswith("onnx: ")


def test_disagreement_is_an_error_and_so_is_no_number() -> None:
    from training.errors import ExportError
    from training.export.verify import AGREEMENT, _require_agreement

    expected = np.array([[0.5, 0.5]], np.float32)
    _require_agreement(expected + AGREEMENT / 2, expected, what="this and that")
    for found in (expected + 1e-3, expected * np.nan):
        with pytest.raises(ExportError, match=r"^this and that differ by .*, more than 1e-05$"):
            _require_agreement(found, expected, what="this and that")


LABELS, SPLITS = 3, {"validation": [[1, 2], [3] * 40, [4]], "test": [[5, 6]]}
THREE = ("onnx", "savedmodel", "third")


class Trained:
    """Stands for a classifier: what it says of a row depends on its tokens alone."""

    thresholds = None
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


def verify(monkeypatch: pytest.MonkeyPatch, replayed: Replayed) -> "VerifiedExport":
    from training.export import verify as module

    monkeypatch.setattr(module, "ENGINES", THREE)
    monkeypatch.setattr(module, "replay", replayed)
    classifier: Any = Trained()
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
def test_every_engine_is_compared_with_training(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.errors import ExportError

    with pytest.raises(ExportError, match=rf"^{engine} and training differ by 0\.01, more than"):
        verify(monkeypatch, Replayed(**{engine: (0.01, 0.0)}))


@pytest.mark.parametrize("engine", THREE[1:])
def test_every_engine_is_compared_with_the_reference(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.errors import ExportError

    with pytest.raises(ExportError, match=rf"^onnx and {engine} differ by 0\.01, more than"):
        verify(monkeypatch, Replayed(**{engine: (0.0, 0.01)}))


def test_a_wrong_reference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.errors import ExportError

    with pytest.raises(ExportError, match=r"^onnx and savedmodel differ by 0\.01, more than"):
        verify(monkeypatch, Replayed(onnx=(0.0, 0.01)))
