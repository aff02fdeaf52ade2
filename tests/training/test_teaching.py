"""A network is taught from texts alone, and trainings start from what is written."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.versions import Version
from tests.training.interruptions import finish_in_pieces
from tests.training.labelled_files import make_rows, write_csv
from tests.training.pretrained.networks import make_pretrained
from tests.training.test_run import make_run
from tests.training.vectors.models import WORDS, write_static_model
from training.errors import TrainingError
from training.pretrained.files import path_of, read_pretrained
from training.reading import Reading
from training.settings import FitSettings, NetworkSettings, TeachSettings
from training.vectors.opening import open_encoder

if TYPE_CHECKING:
    from training.teaching import Course

pytestmark = pytest.mark.tensorflow  # which the module imports

SHAPE = NetworkSettings(cell="gru", units=4, embedding=6, dropout=0.0, word_dropout=0.0)
TEXTS = [
    (f"{WORDS[row % 5]} {WORDS[row % 3]} {text}", row % 2)
    for row, (text, _) in enumerate(make_rows(150))
]


def make_course(folder: Path, **changes: Any) -> "Course":
    from training.teaching import Course

    options: dict[str, Any] = {
        "texts": [str(write_csv(folder / "texts.csv", TEXTS))],
        "reading": Reading(),
        "most_texts": 1_000,
        "longest": 40,
        "vocabulary": 200,
        "network": SHAPE,
        "settings": TeachSettings(epochs=2, batch=40),
        "license": "mit",
    }
    return Course(**options | changes)


def teach(folder: Path, *, resume: bool = True, **changes: Any) -> Path:
    from training.teaching import teach_network

    write_static_model(folder / "encoder")
    return teach_network(
        make_course(folder, **changes),
        open_encoder(str(folder / "encoder")),
        folder=folder / "mine",
        work=folder / "work",
        resume=resume,
    )


@pytest.fixture(autouse=True)
def quick(eager: None) -> None:
    """Nothing is traced."""


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_what_is_taught_can_be_read(
    tmp_path: Path, cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert teach(tmp_path, network=replace(SHAPE, cell=cell)) == path_of(tmp_path / "mine", cell)
    found = read_pretrained(tmp_path / "mine", cell=cell)
    assert found.shape == {"cell": cell, "layers": 1, "units": 4, "embedding": 6}
    assert found.record.license == "mit"
    assert "taught by encoder on 150 texts" in " ".join(capsys.readouterr().err.split())
    assert not list((tmp_path / "work" / "encoders").glob("teach-*.npz"))


@pytest.mark.slow
def test_stopped_after_every_batch_it_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.fitting import fit

    whole = teach(tmp_path / "whole").read_bytes()
    pieces = finish_in_pieces(lambda: teach(tmp_path / "pieces"), fit, monkeypatch=monkeypatch)
    assert pieces.read_bytes() == whole


def test_another_course_does_not_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.training.interruptions import Impatient
    from training.fitting import fit
    from training.workspace.interrupt import Interrupted

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(fit, "Interrupt", Impatient)
        teach(tmp_path)
    with pytest.raises(TrainingError, match="epochs"):
        teach(tmp_path, settings=TeachSettings(epochs=3, batch=40))
    assert teach(tmp_path, settings=TeachSettings(epochs=3, batch=40), resume=False).is_file()


def test_other_texts_do_not_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.training.interruptions import Impatient
    from training.fitting import fit
    from training.workspace.interrupt import Interrupted

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(fit, "Interrupt", Impatient)
        teach(tmp_path)
    write_csv(tmp_path / "other.csv", TEXTS[::-1])
    with pytest.raises(TrainingError, match="texts was"):
        teach(tmp_path, texts=[str(tmp_path / "other.csv")])


def test_another_vocabulary_is_told_before_the_fit(tmp_path: Path) -> None:
    teach(tmp_path)
    with pytest.raises(TrainingError, match="has other words; name another folder"):
        teach(tmp_path, vocabulary=100, settings=TeachSettings(epochs=10**6))


def test_longer_texts_are_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    longest = sorted(len(text.split()) for text, _ in TEXTS)[120]
    left = sum(len(text.split()) > longest for text, _ in TEXTS)
    teach(tmp_path, longest=longest)
    told = " ".join(capsys.readouterr().err.split())
    assert f"texts: {150 - left} of 150; {left} have more than {longest} words" in told


def test_no_text_is_left(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="all 150 texts have more than 1 words; raise --lon"):
        teach(tmp_path, longest=1)


def test_too_few_texts(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="100"):
        teach(tmp_path, most_texts=50)


def test_a_training_starts_from_it(tmp_path: Path) -> None:
    from training.recipe.learn import build_start

    teach(tmp_path)
    known = read_pretrained(tmp_path / "mine", cell="gru")
    run = make_run(tmp_path, rows=TEXTS, network=SHAPE, fit=FitSettings(epochs=1))
    run = replace(run, pretrained=known)
    network = build_start(run, encoder=None)
    assert not run.spells
    assert run.origins == {"pretrained": known.record}
    np.testing.assert_array_equal(
        network.get_layer("recurrent_0").get_weights()[0], known.layers[0][0]
    )
    good = run.prepared.tokenizer.encode("good")[0]
    there = known.tokenizer.encode("good")[0]
    np.testing.assert_array_equal(
        network.get_layer("embedding").get_weights()[0][good], known.embedding[there]
    )


def test_an_encoder_goes_on_from_it(tmp_path: Path) -> None:
    from training.recipe.encoder_cache import find_encoder

    teach(tmp_path)
    known = read_pretrained(tmp_path / "mine", cell="gru")
    settings = TeachSettings(epochs=1, batch=400, learning_rate=1e-6)
    run = make_run(
        tmp_path, rows=TEXTS, network=SHAPE, encoder=str(tmp_path / "encoder"), teach=settings
    )
    run = replace(run, encoder=open_encoder(str(tmp_path / "encoder")), pretrained=known)
    taught = find_encoder(run)
    for mine, yours in zip(taught.layers[0], known.layers[0], strict=True):
        np.testing.assert_allclose(mine, yours, atol=1e-4)
    anew = find_encoder(replace(run, pretrained=None))
    assert not np.allclose(anew.layers[0][0], known.layers[0][0], atol=1e-3)


def test_a_version_names_its_start(tmp_path: Path) -> None:
    from training.evaluation.card import _name_origins
    from training.export.metadata import _describe_settings

    run = replace(make_run(tmp_path, pretrained=True), pretrained=make_pretrained("gru"))
    described = _describe_settings(run.settings, run.origins)
    assert (described["pretrained"], described["pretrained_name"]) == (True, "mine")
    assert _name_origins(described) == "the pretrained network mine (mit)"
    assert _name_origins(_describe_settings(run.settings, {})) == "nothing"
    started = replace(run.settings, pretrained=False, start_from=str(tmp_path / "mine"))
    assert _describe_settings(started, run.origins)["start_from"] == "mine"  # without the path


def test_a_classifier_teaches_too(
    tmp_path: Path, trained: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.recipe import sentences

    figures: list[dict[str, float]] = []
    judge_of = sentences.make_judge

    def watch(targets: Any, width: int) -> Any:
        judge = judge_of(targets, width)
        return lambda given: figures.append(found := judge(given)) or found

    monkeypatch.setattr(sentences, "make_judge", watch)
    both = teach(tmp_path / "both", classifier=trained).read_bytes()
    assert {"cosine", "agreement"} <= set(figures[-1])
    figures.clear()
    alone = teach(tmp_path / "alone").read_bytes()
    assert "agreement" not in figures[-1]
    assert b"tiny:1" in both
    assert b"tiny:1" not in alone


def test_another_classifier_does_not_resume(tmp_path: Path, trained: Version) -> None:
    write_static_model(tmp_path / "encoder")
    source = open_encoder(str(tmp_path / "encoder"))
    course = make_course(tmp_path)
    with_it = replace(course, classifier=trained)
    assert course.identify(source, ["x"]) != with_it.identify(source, ["x"])


def test_several_corpora_are_read_each_text_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = str(write_csv(tmp_path / "one.csv", TEXTS[:120]))
    two = str(write_csv(tmp_path / "two.csv", TEXTS[100:]))
    teach(tmp_path, texts=[one, two], most_texts=110)
    told = " ".join(capsys.readouterr().err.split())
    assert "texts: 150 of 170; 0 have more than 40 words" in told
