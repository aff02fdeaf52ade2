"""A curve is measured on growing numbers of rows; what was measured is kept."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.training.labelled_files import make_rows, write_csv
from tests.training.test_run import make_run
from training.data.vocabulary import learn_vocabulary
from training.errors import DataError, TrainingError
from training.labelling.power_law import Forecast
from training.linear import ngrams
from training.reading import Reading
from training.settings import FitSettings, NetworkSettings

if TYPE_CHECKING:
    from training.run import Run

pytestmark = pytest.mark.tensorflow  # which the modules import


@pytest.fixture(autouse=True)
def quick(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "TABLE_BYTES", 1)


def make_small(folder: Path, **changes: Any) -> "Run":
    options = {
        "network": NetworkSettings(cell="gru", units=4, embedding=4),
        "fit": FitSettings(epochs=1, batch=64, adversarial=0.0),
    }
    return make_run(folder, rows=make_rows(300), **options | changes)


def measure(run: "Run", *, draws: int = 2) -> Any:
    from training.labelling.curve import measure_curve

    return measure_curve(run, draws=draws)


@pytest.mark.parametrize(
    ("rows", "classes", "expected"),
    [
        (270, 2, [67, 135, 270]),
        (100, 2, [50, 100]),
        (100_000, 2, [3_125, 6_250, 12_500, 25_000, 50_000, 100_000]),
        (1_000, 40, [250, 500, 1_000]),
    ],
)
def test_sizes_double(rows: int, classes: int, expected: list[int]) -> None:
    from training.labelling.points import choose_sizes

    assert choose_sizes(rows, classes=classes) == expected


def test_too_few_rows() -> None:
    from training.labelling.points import choose_sizes

    with pytest.raises(TrainingError, match="99 rows of train are too few for a curve; 100 at le"):
        choose_sizes(99, classes=2)


@pytest.mark.slow
def test_points_and_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from training.labelling import points

    run = make_small(tmp_path)
    found = measure(run)
    rows = len(run.prepared.data.train)
    assert [point.rows for point in found.points] == [rows // 4, rows // 2, rows]
    assert (found.draws, found.judged) == (2, int(run.honest.sum()))
    for point in found.points:
        assert len(point.network["seeds"]) == len(point.baseline["seeds"]) == 2
        assert point.lead["value"] == pytest.approx(
            point.network["value"] - point.baseline["value"]
        )
    assert found.ahead == []  # three points are too few
    assert f"{rows:,} rows, draw 2 of 2: accuracy" in capsys.readouterr().err
    monkeypatch.setattr(points, "fit_point", lambda *_: pytest.fail("it is kept"))
    again = measure(run)
    assert again == found
    with pytest.raises(pytest.fail.Exception):
        measure(replace(run, settings=replace(run.settings, class_weight="sqrt")))


def test_draws_differ_and_are_repeatable(tmp_path: Path) -> None:
    from training.labelling.points import Draw, fit_point

    run = make_small(tmp_path)
    first, _ = fit_point(run, Draw(100, 1))
    again, _ = fit_point(run, Draw(100, 1))
    np.testing.assert_array_equal(first.network, again.network)
    np.testing.assert_array_equal(first.baseline, again.baseline)
    assert not run.has_checkpoints


def test_a_drawn_training_knows_its_own_words_alone(tmp_path: Path) -> None:
    from training.prepare import thin

    run = make_small(tmp_path)
    few = thin(run.prepared, 50, seed=1, settings=run.settings)
    assert len(few.data.train) == len(few.ids["train"]) == 50
    own = learn_vocabulary(few.data.train.texts, size=run.settings.vocabulary)
    assert few.tokenizer.digest == own.digest != run.prepared.tokenizer.digest
    assert few.data.train.whole.all()
    np.testing.assert_array_equal(few.leaks["validation"], run.prepared.leaks["validation"])
    known = run.prepared.tokenizer
    more = thin(run.prepared, 50, seed=1, settings=run.settings, known=known)
    assert more.tokenizer.tokens[: len(known)] == known.tokens


def test_a_kept_file_that_is_broken(tmp_path: Path) -> None:
    from training.labelling.points import Draw, find_point

    run = make_small(tmp_path)
    find_point(run, Draw(60, 1), folder=tmp_path / "points")
    (path,) = (tmp_path / "points").iterdir()
    path.write_bytes(b"rubbish")
    with pytest.raises(TrainingError, match="holds no decisions .* delete it"):
        find_point(run, Draw(60, 1), folder=tmp_path / "points")


@pytest.mark.slow
def test_files_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from training.labelling.terminal import describe, print_curve
    from training.labelling.write import write_curve

    found = measure(make_small(tmp_path), draws=1)
    assert describe(found) == ["too few numbers of rows for an extrapolation; it takes four"]
    now = found.points[-1].network["value"]
    forecasts = [Forecast(600, now + 0.02, now - 0.01, now + 0.05, 0.02, 0.01, 0.03)] * 2
    seen = Forecast(270, now + 0.3, now + 0.2, now + 0.4, 0.1, 0.0, 0.2)
    found = replace(found, ahead=forecasts, hindsight=seen)
    first, second = describe(found)
    assert first == (
        "by the curve through these points, twice the rows bring 2.0 points (95 % 1.0 to 3.0)"
    )
    assert second.endswith(": trust the extrapolation less")
    print_curve(found)
    assert "expected" in capsys.readouterr().err
    write_curve(found, folder=tmp_path / "out")
    figures = json.loads((tmp_path / "out/curve.json").read_text())
    assert figures["points"][-1]["network"]["value"] == now
    with Image.open(tmp_path / "out/curve.png") as image:
        assert image.width > 800


TEXTS = [f"{text} again" for text, _ in make_rows(40)]


class TestNext:
    def find(self, folder: Path, texts: list[str], **changes: Any) -> list[dict[str, Any]]:
        from training.labelling.candidates import read_candidates
        from training.labelling.next_rows import find_next
        from training.labelling.points import fit_all

        run = make_small(folder, **changes)
        corpus = write_csv(folder / "more.csv", [(text, 0) for text in texts])
        data = run.prepared.data
        candidates = read_candidates(str(corpus), data=data, reading=Reading())
        return find_next(run, fit_all(run), candidates, count=7)

    def test_rows_that_are_labelled_are_not_asked_for(self, tmp_path: Path) -> None:
        labelled = [text for text, _ in make_rows(20)]
        rows = self.find(tmp_path, [*labelled, *TEXTS])
        assert len(rows) == 7
        assert {row["text"] for row in rows} <= set(TEXTS)
        assert {row["suggested"] for row in rows} <= {"neg", "pos", "0", "1"}
        assert all(0 < row["probability"] <= 1 for row in rows)

    def test_all_are_labelled(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="each of its 20 texts is labelled"):
            self.find(tmp_path, [text for text, _ in make_rows(20)])

    @pytest.mark.parametrize("name", ["next.csv", "new/next.jsonl"])
    def test_files(self, tmp_path: Path, name: str) -> None:
        from training.labelling.candidates import check_target
        from training.labelling.next_rows import write_next

        rows = [{"text": 'a "b",\nc\ré', "suggested": "pos", "probability": 0.5}]
        check_target(tmp_path / name)
        write_next(rows, tmp_path / name)
        if name.endswith(".csv"):
            with (tmp_path / name).open(newline="", encoding="utf-8") as file:
                (found,) = csv.DictReader(file)
            assert found["text"] == rows[0]["text"]
        else:
            assert json.loads((tmp_path / name).read_text(encoding="utf-8")) == rows[0]

    def test_other_endings(self, tmp_path: Path) -> None:
        from training.labelling.candidates import check_target

        (tmp_path / "folder.csv").mkdir()
        for path in (Path("next.xlsx"), tmp_path / "folder.csv"):
            with pytest.raises(DataError, match=r"name a file that ends in \.csv or \.jsonl"):
                check_target(path)
