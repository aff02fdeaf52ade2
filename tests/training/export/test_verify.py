"""An export that an engine cannot run, or that answers otherwise, is not published."""

import numpy as np
import pytest

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
