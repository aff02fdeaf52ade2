"""A training that fails says how to resume, where that helps."""

from pathlib import Path

import pytest

from models.registry import Store
from models.versions import Version
from tests.training.test_run import make_run, save
from training.errors import ExportError, TrainingError
from training.workspace.interrupt import Interrupted

pytestmark = pytest.mark.tensorflow  # which the module imports

HINT = "checkpoints are kept; to resume, give the same command and --resume"


@pytest.mark.parametrize(
    ("error", "fitted", "hints"),
    [
        (OSError("no space left"), True, [HINT]),
        (ExportError("an engine was killed"), True, [HINT]),
        (KeyboardInterrupt(), True, [HINT]),
        (SystemExit(143), True, [HINT]),  # by SIGTERM
        (OSError("no space left"), False, []),
        (TrainingError("the loss is no longer a number"), True, []),  # nor would it be again
        (Interrupted(2), True, []),  # which is told elsewhere
    ],
)
def test_how_to_go_on(
    error: BaseException,
    fitted: bool,
    hints: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from training import pipeline

    def build(run, **_: object) -> None:
        if fitted:
            save(run)
        raise error

    run = make_run(tmp_path)
    monkeypatch.setattr(pipeline, "_build", build)
    capsys.readouterr()
    with pytest.raises(type(error)):
        pipeline.train(run, store=Store(tmp_path / "store"))
    assert capsys.readouterr().err.splitlines() == hints
    assert run.has_checkpoints == fitted
    assert not list((tmp_path / "store").rglob("*"))


def test_metadata_says_what_a_default_came_to(trained: Version) -> None:
    assert trained.metadata.settings["subwords"] is True  # its texts are few
