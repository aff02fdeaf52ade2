"""The figures of a version are what textbooks say they are."""

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow  # which the module imports


def measure(probabilities: list[list[float]], labels: list[int]) -> dict[str, float]:
    from training.evaluate import measure

    return measure(np.array(probabilities, np.float32), np.array(labels, np.int32))


def test_figures() -> None:
    figures = measure([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]], [0, 1, 1, 0])
    assert figures == {
        "accuracy": 0.75,
        # class 0: 2 hits of 3 predicted and 2 there; class 1: 1 hit of 1 predicted and 2 there
        "macro_f1": pytest.approx((4 / 5 + 2 / 3) / 2),
        "log_loss": pytest.approx(-np.mean(np.log([0.9, 0.8, 0.3, 0.6])), rel=1e-5),
        "rows": 4.0,
    }


def test_a_class_that_neither_occurs_nor_is_predicted_does_not_count() -> None:
    assert measure([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0]], [0, 1])["macro_f1"] == 1.0


def test_a_class_that_is_never_found_counts() -> None:
    assert measure([[0.9, 0.1], [0.9, 0.1]], [0, 1])["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_no_probability_at_all_gives_a_finite_loss() -> None:
    assert 80 < measure([[1.0, 0.0]], [1])["log_loss"] < 90


def test_a_version_that_no_engine_can_run(tmp_path, capfd: pytest.CaptureFixture[str]) -> None:
    from training.errors import ExportError
    from training.evaluate import replay

    with pytest.raises(ExportError, match=r"^the onnx engine cannot run the exported version$"):
        replay(tmp_path, [[1, 2]], engine="onnx")
    told = capfd.readouterr().err
    assert told.startswith("onnx: ")
    assert told.count("\n") == 1


def test_disagreement_is_an_error_and_so_is_no_number() -> None:
    from training.errors import ExportError
    from training.evaluate import AGREEMENT, _require_agreement

    expected = np.array([[0.5, 0.5]], np.float32)
    _require_agreement(expected + AGREEMENT / 2, expected, what="this and that")
    for found in (expected + 1e-3, expected * np.nan):
        with pytest.raises(ExportError, match=r"^this and that differ by .*, more than 1e-05$"):
            _require_agreement(found, expected, what="this and that")
