"""Texts become ids by the normalisation of the version that a training starts from."""

from dataclasses import replace
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


class TestOffer:
    ENGLISH = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "good", "iyi", "number", *"0123456789"])
    OTHER = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "gut", "number"])

    def test_it_is_taken_where_it_has_the_words(
        self, settings: TrainSettings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        prepared = prepare(settings, offered=self.ENGLISH)
        assert prepared.took_offer
        assert prepared.tokenizer.tokens[: len(self.ENGLISH)] == self.ENGLISH.tokens
        assert "starts from the English network that is shipped: it has" in capsys.readouterr().err

    def test_it_is_not_taken_where_it_lacks_them(
        self, settings: TrainSettings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        prepared = prepare(settings, offered=self.OTHER)
        assert not prepared.took_offer
        assert "gut" not in prepared.tokenizer.tokens
        assert "is not the start: it has" in " ".join(capsys.readouterr().err.split())

    def test_whoever_asks_for_it_gets_it(self, settings: TrainSettings) -> None:
        asked = replace(settings, pretrained=True)
        assert prepare(asked, offered=self.OTHER).took_offer
