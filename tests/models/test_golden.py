import numpy as np
import pytest

from models.batching import pad
from models.errors import VersionCorrupt
from models.golden import TOLERANCE, Golden
from models.tokenizer import Tokenizer
from tests.versions import CountingEngine, make_tokenizer


def predict(ids: list[list[int]]) -> np.ndarray:
    return CountingEngine().predict(pad(ids))


@pytest.fixture
def golden() -> Golden:
    return Golden.record(["good film", ""], tokenizer=make_tokenizer(), predict=predict)


def test_save_and_load(golden: Golden, tmp_path) -> None:
    golden.save(tmp_path / "golden.json")
    assert Golden.load(tmp_path / "golden.json") == golden


def test_a_file_that_is_no_golden_is_refused(tmp_path) -> None:
    (tmp_path / "golden.json").write_text("{}")
    with pytest.raises(VersionCorrupt, match="not a file of golden predictions"):
        Golden.load(tmp_path / "golden.json")


def test_what_was_recorded_passes(golden: Golden) -> None:
    golden.check_ids(make_tokenizer())
    golden.check_probabilities(predict)


def test_other_ids_are_refused(golden: Golden) -> None:
    tokens = list(make_tokenizer().tokens)
    tokens[2], tokens[4] = tokens[4], tokens[2]
    with pytest.raises(VersionCorrupt, match="golden ids of 'good film': expected .2, 4., found"):
        golden.check_ids(Tokenizer(tokens))


@pytest.mark.parametrize("error", [2 * TOLERANCE, np.nan])
def test_other_probabilities_are_refused(golden: Golden, error: float) -> None:
    with pytest.raises(VersionCorrupt, match="golden probabilities of 'good film': expected"):
        golden.check_probabilities(lambda ids: predict(ids) + error)


def test_rounding_passes(golden: Golden) -> None:
    golden.check_probabilities(lambda ids: predict(ids) + TOLERANCE / 2)


def test_long_texts_are_shortened_in_errors() -> None:
    golden = Golden.record(["good " * 100], tokenizer=make_tokenizer(), predict=predict)
    with pytest.raises(VersionCorrupt) as caught:
        golden.check_probabilities(lambda ids: 1 - predict(ids))
    assert len(str(caught.value)) < 200
