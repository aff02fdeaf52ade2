"""The networks that are shipped know English, and small files hold them."""

import pytest

from tests.training.pretrained.networks import make_pretrained
from training.data.coverage import COVERED, find_coverage
from training.pretrained.shipped import FOLDER, find_shipped, read_tokenizer

USUAL = {"cell": "gru", "layers": 1, "units": 128, "embedding": 128}
ENGLISH = [
    "The waiter was rude and my soup came cold, so we won't be back.",
    "What's the best way to get a refund? I ordered the wrong size.",
    "Scientists found that the drug lowers blood pressure in older patients.",
]
OTHERS = [
    "Die Kellnerin war sehr freundlich und das Essen hat uns gut geschmeckt.",
    "Nous avons attendu une heure et personne ne s'est excusé.",
    "Обслуживание было очень медленным, больше не придём.",
    "料理はとても美味しかったです。",
    "",
]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_usual_shape_has_one(cell: str) -> None:
    network = find_shipped(USUAL | {"cell": cell})
    assert network is not None
    assert network.tokenizer.digest == read_tokenizer().digest
    assert network.record.name == "english"
    assert network.record.license


@pytest.mark.parametrize(
    "change", [{"units": 64}, {"layers": 2}, {"embedding": 64}, {"cell": "rnn"}]
)
def test_other_shapes_have_none(change: dict) -> None:
    assert find_shipped(USUAL | change) is None


def test_they_are_small_and_name_their_terms() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 8e6
    notice = (FOLDER / "NOTICE.md").read_text()
    assert "Apache-2.0" in notice
    assert "MiniLM" in notice


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_covered(text: str) -> None:
    assert find_coverage(read_tokenizer(), [text]) >= COVERED


@pytest.mark.parametrize("text", OTHERS)
def test_other_languages_are_not(text: str) -> None:
    assert find_coverage(read_tokenizer(), [text]) < COVERED


def test_coverage_counts_running_words() -> None:
    tokenizer = make_pretrained().tokenizer
    assert find_coverage(tokenizer, ["the film", "the book", "x"]) == pytest.approx(3 / 5)
    assert find_coverage(tokenizer, []) == 0
