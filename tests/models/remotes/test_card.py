"""The card that is pushed says to the Hub what the metadata say, in the Hub's own terms."""

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import EvalResult, ModelCard

from models.metadata import DataRecord, Metadata
from models.registry import Store
from models.remotes.hub import write_card
from models.versions import CARD
from tests.versions import make_metadata, publish

SHIPPED = Path(__file__).resolve().parents[3] / "models" / "store"


def read(metadata: Metadata, *, folder: Path, **facts: Any) -> ModelCard:
    """Read a card as the library of the Hub does, which raises for facts that it cannot read."""
    text = write_card(metadata, folder=folder, **{"license": None, "languages": ()} | facts)
    return ModelCard(text, ignore_metadata_errors=False)


def from_hub() -> DataRecord:
    data = make_metadata().data
    known = {"source": "owner/reviews", "config": "de", "revision": "a" * 40}
    return data.model_copy(update=known)


def test_the_facts_of_a_shipped_version() -> None:
    version = Store(SHIPPED).resolve("imdb-gru")
    card = read(version.metadata, folder=version.path, license="apache-2.0", languages=("en",))
    facts = card.data.to_dict()
    assert facts["pipeline_tag"] == "text-classification"
    assert facts["library_name"] == "gatewise"
    assert (facts["license"], facts["language"]) == ("apache-2.0", ["en"])
    assert facts["metrics"] == ["accuracy", "f1"]
    assert "datasets" not in facts  # it came from local files
    found = {
        (each.dataset_split, each.metric_type): each.metric_value for each in card.data.eval_results
    }
    assert found == {
        (split, kind): figures[name]
        for split, figures in version.metadata.metrics.items()
        for name, kind in (("accuracy", "accuracy"), ("macro_f1", "f1"))
    }
    assert card.data.eval_results[0].dataset_split == "test"
    own = (version.path / CARD).read_text()
    assert card.text.strip().splitlines()[:5] == own.strip().splitlines()[:5]


def test_links_of_the_card_lead_to_files_that_are_pushed() -> None:
    version = Store(SHIPPED).resolve("imdb-gru")
    text = read(version.metadata, folder=version.path).text
    for link in ("assets.extra/report/report.html", "assets.extra/metadata.json"):
        assert f"]({link})" in text
        assert (version.path / link).is_file()


def test_a_dataset_of_the_hub_is_named_with_its_revision(tmp_path: Path) -> None:
    metadata = make_metadata(data=from_hub(), metrics={"test": {"macro_f1": 0.5}})
    card = read(metadata, folder=tmp_path)
    assert card.data.datasets == ["owner/reviews"]
    assert card.data.eval_results == [
        EvalResult(
            task_type="text-classification",
            task_name="Text Classification",
            dataset_type="owner/reviews",
            dataset_name="owner/reviews",
            dataset_config="de",
            dataset_split="test",
            dataset_revision="a" * 40,
            metric_type="f1",
            metric_name="Macro-F1 (test)",
            metric_value=0.5,
        )
    ]


@pytest.mark.parametrize("source", ["/home/jane/secret plans/reviews.csv", "reviews.csv"])
def test_local_folders_are_not_told(source: str, tmp_path: Path) -> None:
    data = make_metadata().data.model_copy(update={"source": source})
    card = read(make_metadata(data=data), folder=tmp_path)
    assert "jane" not in str(card)
    assert card.data.eval_results[0].dataset_name == "reviews"


def test_a_version_without_figures_or_a_card_of_its_own(tmp_path: Path) -> None:
    card = read(make_metadata(metrics={}), folder=tmp_path)
    assert card.data.eval_results is None
    assert card.text.strip() == "# toy"


def test_what_stands_in_a_card_cannot_change_the_facts(tmp_path: Path) -> None:
    version = publish(tmp_path, others={CARD: b"---\nlicense: mit\n---\n# toy\n"})
    card = read(version.metadata, folder=version.path, license="apache-2.0")
    assert card.data.license == "apache-2.0"
