"""A comparison with little time draws fewer rows, and keeps to them when it is resumed."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.training.labelled_files import make_rows
from tests.training.test_run import make_run
from training.settings import Budget, FitSettings, NetworkSettings

if TYPE_CHECKING:
    from training.run import Run

pytestmark = pytest.mark.tensorflow  # which the modules import

SPEED = 1_000.0  # tokens/s


@pytest.fixture(autouse=True)
def speed(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.comparison import row_budget as budget

    monkeypatch.setattr(budget, "measure_speed", lambda _: SPEED)


def make(folder: Path, *, resume: bool = False) -> "Run":
    return make_run(
        folder,
        rows=make_rows(1_000),
        resume=resume,
        network=NetworkSettings(cell="gru", units=3, embedding=4),
        fit=FitSettings(epochs=2),
    )


def choose(run: "Run", *, minutes: float, folder: Path) -> int | None:
    from training.comparison.compare import Plan, who_takes_part
    from training.comparison.row_budget import choose_rows

    contestants = who_takes_part(run, Plan(cells=("rnn", "gru"), seeds=2))
    note = folder / "rows.json"
    budget = Budget(minutes=minutes)
    return choose_rows(run, contestants, seeds=2, budget=budget, note=note)


def test_with_enough_time_all_rows_are_taken(tmp_path: Path) -> None:
    assert choose(make(tmp_path), minutes=60, folder=tmp_path) is None


def test_with_less_time_as_many_as_fit(tmp_path: Path) -> None:
    from training.comparison.row_budget import SLACK

    run = make(tmp_path)
    rows = choose(run, minutes=0.5, folder=tmp_path)
    assert rows is not None
    tokens = rows * run.prepared.lengths("train").mean()
    contestants, seeds, epochs = 3, 2, 2
    takes = SLACK * tokens * contestants * seeds * epochs / SPEED
    assert 0.9 * 30 < takes <= 30


def test_a_resumed_one_keeps_to_its_rows(tmp_path: Path) -> None:
    rows = choose(make(tmp_path), minutes=0.5, folder=tmp_path)
    assert choose(make(tmp_path, resume=True), minutes=60, folder=tmp_path) == rows


def test_there_are_always_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert choose(make(tmp_path), minutes=0.001, folder=tmp_path) == 200
    assert "even that is likely to take longer" in capsys.readouterr().err
