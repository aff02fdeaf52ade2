"""Alternatives are chosen on validation rows, judged on test rows and summed up from their runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from fastapi.testclient import TestClient

from benchmarks.alternatives.lineup import DATASETS, LINEUP, Alternative, Ours
from benchmarks.alternatives.models.choosing import choose
from benchmarks.alternatives.models.fit import FITTED
from benchmarks.alternatives.models.fit import main as judge
from benchmarks.alternatives.models.frozen_encoder import FrozenEncoder, embed
from benchmarks.alternatives.models.linear import fit, load
from benchmarks.alternatives.models.rows import Rows, Splits
from benchmarks.alternatives.models.tuned_encoder import TunedEncoder
from benchmarks.alternatives.models.word_vectors import prepare
from benchmarks.alternatives.names import FOLDER, MODEL
from benchmarks.alternatives.places import Places
from benchmarks.alternatives.plot import plot_alternatives
from benchmarks.alternatives.report import COMMAND, NAME, PLOT, describe
from benchmarks.alternatives.summary import summarize
from benchmarks.pages import replace_block
from benchmarks.serving.results import Record

DOCS = Path(__file__).parents[2] / "docs"
GOOD, BAD = ["a good film", "so good", "good fun"], ["a bad film", "so bad", "bad and dull"]
ROWS = Rows(GOOD + BAD, [1, 1, 1, 0, 0, 0])


class Encoder:
    """Gives a text its length, and remembers what it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def embed(self, text: str) -> np.ndarray:
        self.read.append(text)
        return np.array([len(text)], np.float32)

    def run(self, text: str) -> np.ndarray:
        return np.array([0.0, np.log(3.0)], np.float32)


def test_the_best_on_validation_rows_is_chosen_the_first_of_equals() -> None:
    best = choose([("a", 1), ("b", 3), ("c", 3), ("d", 2)], measure=float)
    assert best.settings == "b"
    assert best.model == 3
    assert list(best.accuracies) == ["a", "b", "c", "d"]


def test_nothing_to_choose_is_an_error() -> None:
    with pytest.raises(ValueError, match="no model"):
        choose([], measure=float)


def test_splits_come_back_from_their_file(tmp_path: Path) -> None:
    splits = Splits(["neg", "pos"], ROWS, Rows(["é\n"], [0]), Rows([], []))
    splits.save(tmp_path / "rows.json")
    assert Splits.load(tmp_path / "rows.json") == splits


def test_drawn_rows_keep_their_labels_and_fewer_are_the_first_of_more() -> None:
    few, more = ROWS.draw(2), ROWS.draw(4)
    assert more.texts[:2] == few.texts
    assert all(label == (text in GOOD) for text, label in zip(more.texts, more.labels, strict=True))
    assert ROWS.draw(None) == ROWS
    assert len(ROWS.draw(100).texts) == len(ROWS.texts)


def test_right_answers_are_counted() -> None:
    assert ROWS.count_right([1, 1, 0, 0, 0, 1]) == 4
    assert ROWS.accuracy([1] * 6) == 0.5


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Undo the settings of scikit-learn, which hold for the process."""
    with sklearn.config_context():
        yield


def test_the_linear_model_answers_as_fitted_once_loaded(tmp_path: Path) -> None:
    fitted = fit(Splits(["neg", "pos"], ROWS, ROWS, ROWS), tmp_path, source=None)
    assert fitted.validation[fitted.settings] == 1
    verdicts = load(tmp_path).classify(["good", "bad"])
    assert [label for label, _ in verdicts] == [1, 0]
    assert all(probability > 0.5 for _, probability in verdicts)


def test_a_fitted_model_is_judged_and_answers_over_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = Rows(["good", "bad", "so bad"], [1, 0, 1])
    Splits(["neg", "pos"], ROWS, ROWS, test).save(tmp_path / "rows.json")
    judge("linear", str(tmp_path / "rows.json"), str(tmp_path))
    figures = json.loads((tmp_path / FITTED).read_text())
    assert (figures["right"], figures["rows"], figures["train"]) == (2, 3, 6)
    monkeypatch.setenv(MODEL, "linear")
    monkeypatch.setenv(FOLDER, str(tmp_path))
    from benchmarks.alternatives.app import app

    answer = TestClient(app).post("/predict", json={"text": "a good film"}).json()
    assert answer["label"] == "pos"
    assert 0.5 < answer["score"] <= 1


def test_vectors_of_an_earlier_run_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.alternatives.models.frozen_encoder.CHUNK", 2)
    encoder: Any = Encoder()
    first = embed(encoder, ROWS.texts, folder=tmp_path / "vectors", name="train")
    (tmp_path / "vectors" / "2.npy").unlink()
    again = embed(encoder, ROWS.texts, folder=tmp_path / "vectors", name="train")
    assert encoder.read == ROWS.texts + ROWS.texts[2:4]
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[:, 0], [len(text) for text in ROWS.texts])


def test_a_frozen_encoder_gives_the_likelier_label() -> None:
    encoder: Any = Encoder()
    model = FrozenEncoder(encoder, weights=np.array([1.0]), bias=-3.0)
    assert model.classify(["long text", "a"]) == [
        (1, pytest.approx(1 / (1 + np.exp(-6.0)))),
        (0, pytest.approx(1 / (1 + np.exp(-2.0)))),
    ]


def test_a_tuned_encoder_gives_the_likelier_label() -> None:
    encoder: Any = Encoder()
    assert TunedEncoder(encoder).classify(["a"]) == [(1, pytest.approx(0.75))]


def test_fasttext_reads_one_line_with_punctuation_apart() -> None:
    assert prepare("Good,\nreally (not bad)!") == "good , really ( not bad ) !"


def test_names_tell_entries_and_environments_apart() -> None:
    assert len({(entry.texts, entry.name) for entry in LINEUP}) == len(LINEUP)
    packages: dict[str, set[tuple[str, ...]]] = {}
    for entry in LINEUP:
        contestant = entry.contestant(Path("work"))
        packages.setdefault(contestant.environment_name, set()).add(contestant.packages)
    assert all(len(found) == 1 for found in packages.values())


def test_models_of_each_kind_of_text_have_folders_of_their_own() -> None:
    others = [entry for entry in LINEUP if isinstance(entry, Alternative)]
    folders = {entry.contestant(Path("work")).environment[FOLDER] for entry in others}
    assert len(folders) == len(others)
    assert all(Path(folder).is_absolute() for folder in folders)


def test_an_alternative_without_its_source_is_left_out() -> None:
    alternative = next(e for e in LINEUP if isinstance(e, Alternative) and e.source == "encoder")
    places = Places(Path("data"), Path("store"), Path("work"), {"encoder": None})
    assert places.lacks(alternative)
    assert not Places(*[Path()] * 3, {"encoder": Path("there")}).lacks(alternative)


def make_results() -> Record:
    """Return results of all entries: accuracies fall, costs rise, in the order of the lineup."""
    accuracy: Record = {texts: {} for texts in DATASETS}
    runs: Record = {texts: {} for texts in DATASETS}
    for number, entry in enumerate(LINEUP, start=1):
        accuracy[entry.texts][entry.name] = {"right": 1_000 - number, "rows": 1_000}
        if isinstance(entry, Alternative):
            accuracy[entry.texts][entry.name]["settings"] = "C=3"
        load = {"rate": 900.0, "p50": [1.0], "p99": [2.0], "failed": 0.0}
        runs[entry.texts][entry.name] = [
            {
                "ready": 1.0,
                "megabytes": 100.0,
                "alone": load | {"per_cpu_second": 10.0},
                "together": load | {"per_cpu_second": 1_000 / (number + more)},
            }
            for more in (-0.5, 0, 3)
        ]
    return {"accuracy": accuracy, "runs": runs}


def test_a_line_has_the_medians_of_its_runs_and_an_interval() -> None:
    lines = summarize(make_results())
    assert [line.entry for line in lines] == list(LINEUP)
    first = lines[0]
    assert first.milliseconds == pytest.approx(1)
    assert first.accuracy == 0.999
    assert first.interval.low < first.accuracy < first.interval.high
    assert first.settings.endswith(", C=3")
    assert [line.is_ours for line in lines] == [isinstance(entry, Ours) for entry in LINEUP]


def test_what_was_not_measured_has_no_line() -> None:
    found = make_results()
    first, second, *_ = LINEUP
    del found["runs"][first.texts][first.name], found["accuracy"][second.texts][second.name]
    assert [line.entry for line in summarize(found)] == list(LINEUP[2:])


def test_the_table_has_a_row_for_each_entry() -> None:
    text = describe(summarize(make_results()))
    assert text.count("\n| IMDB, reviews |") == sum(e.texts == "reviews" for e in LINEUP)
    assert (
        f"| {LINEUP[0].name} | 99.9 (99.4 to 100.0) | 1.00 | 900 | 1.0, 2.0 | 100 | 1.0 |" in text
    )


@pytest.mark.slow
def test_the_plot_names_each_entry_and_stays_the_same(tmp_path: Path) -> None:
    lines = summarize(make_results())
    for name in ("one.svg", "two.svg"):
        plot_alternatives(lines, tmp_path / name)
    svg = (tmp_path / "one.svg").read_text()
    assert all(f">{entry.name}<" in svg for entry in LINEUP)
    assert svg == (tmp_path / "two.svg").read_text()


def test_the_page_has_a_place_for_the_table() -> None:
    page = (DOCS / "benchmarks.md").read_text()
    assert "a new table" in replace_block(page, NAME, "a new table", command=COMMAND)
    assert f"plots/{PLOT}" not in page or (DOCS / "plots" / PLOT).is_file()
