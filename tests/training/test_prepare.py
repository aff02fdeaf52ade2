"""Texts become ids by the normalisation of the version that a training starts from."""

from pathlib import Path

import pytest

from models.normalization import LATEST
from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer
from tests.training.labelled_files import write_csv
from training.prepare import prepare
from training.settings import NetworkSettings, TrainSettings

ROWS = [(f"go\u00adod İYİ number {row}", ("neg", "pos")[row % 2]) for row in range(80)]


@pytest.fixture
def settings(tmp_path: Path) -> TrainSettings:
    dataset = write_csv(tmp_path / "rows.csv", ROWS)
    return TrainSettings(dataset=str(dataset), name="toy", network=NetworkSettings(cell="gru"))


def test_a_new_training_has_the_latest(
    settings: TrainSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = prepare(settings).tokenizer
    assert tokenizer.normalization == LATEST
    assert {"good", "iyi"} <= set(tokenizer.tokens)
    assert "normalised" not in capsys.readouterr().err


def test_one_that_starts_from_a_version_keeps_the_versions(
    settings: TrainSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    known = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "good"], normalization=1)
    tokenizer = prepare(settings, known=known).tokenizer
    assert tokenizer.normalization == 1
    assert tokenizer.tokens[:3] == known.tokens
    assert "i\u0307yi\u0307" in tokenizer.tokens
    written = " ".join("".join(capsys.readouterr()).split())
    assert "note: words are normalised as in the version to start from, by rule 1" in written
