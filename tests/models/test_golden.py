import numpy as np
import pytest

from models.errors import VersionCorrupt
from models.golden import TOLERANCE, Golden
from models.tokenizer import Tokenizer
from tests.versions import CountingEngine, make_tokenizer, record_golden


def predict(ids: list[list[int]]) -> np.ndarray:
    return CountingEngine().predict(ids)


@pytest.fixture
def golden() -> Golden:
    return record_golden(["good film", ""])


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
    golden = record_golden(["good " * 100])
    with pytest.raises(VersionCorrupt) as caught:
        golden.check_probabilities(lambda ids: 1 - predict(ids))
    assert len(str(caught.value)) < 200


def test_other_widths_are_refused(golden: Golden) -> None:
    with pytest.raises(VersionCorrupt, match=r"expected shape \(2, 2\), found \(2, 1\)"):
        golden.check_probabilities(lambda ids: predict(ids)[:, :1])


@pytest.mark.parametrize(
    "content",
    [
        '{"texts": [], "ids": [], "probabilities": []}',
        '{"texts": ["a"], "ids": [], "probabilities": [[0.5, 0.5]]}',
    ],
)
def test_golden_that_proves_nothing_is_refused(content: str, tmp_path) -> None:
    (tmp_path / "golden.json").write_text(content)
    with pytest.raises(VersionCorrupt, match="must be as many, and at least one"):
        Golden.load(tmp_path / "golden.json")
