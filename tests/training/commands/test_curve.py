"""The command `curve` says how to go on at whatever fit it is stopped."""

from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from typer.testing import CliRunner

from tests.training.labelled_files import make_rows, write_csv
from training.__main__ import app
from training.workspace.interrupt import Interrupted

pytestmark = pytest.mark.tensorflow  # which the command starts


@pytest.mark.parametrize(
    "stopped", ["training.labelling.curve.measure_curve", "training.labelling.points.fit_all"]
)
def test_a_stop_at_any_fit(stopped: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise Interrupted(2)

    for name in ("curve.measure_curve", "terminal.print_curve", "write.write_curve"):
        monkeypatch.setattr(f"training.labelling.{name}", MagicMock())
    monkeypatch.setattr(stopped, stop)
    rows = write_csv(tmp_path / "rows.csv", make_rows(60))
    more = write_csv(tmp_path / "more.csv", [(f"further text {row}", 0) for row in range(20)])
    command = ["curve", f"--dataset={rows}", f"--unlabeled={more}", f"--work={tmp_path / 'work'}"]
    result = CliRunner().invoke(app, [*command, f"--next={tmp_path / 'next.csv'}"])
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == (
        "stopped; complete trainings are kept, give the same command"
    )
