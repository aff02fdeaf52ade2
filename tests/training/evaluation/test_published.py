"""A published version is measured on other rows, whatever their labels look like."""

from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from models.versions import Version
from training.data.classes import Classes
from training.data.sources import Source
from training.errors import DataError
from training.evaluation.published import Selection, evaluate_version
from training.report.results import Results

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]  # which trains several versions

LIKED = {"a superb evening": "like", "boring and awful": "dislike", "great actors": "like"}
TAGGED = {"the soup was expensive": ["food", "price"], "an evening": [], "a waiter": ["staff"]}


def make_dataset(labels: list[Any], *, texts: Any = LIKED, feature: Any = None) -> Dataset:
    features = Features(text=Value("string"), label=feature) if feature else None
    return Dataset.from_dict({"text": list(texts), "label": labels}, features=features)


def measure(version: Version, *, split: str | None = None, **splits: Dataset) -> Results:
    source = Source("made up", "made-up", None, None, splits)
    return evaluate_version(version, source, selection=Selection(split=split), engine="onnx")


def refusal(version: Version, **given: Any) -> str:
    with pytest.raises(DataError) as caught:
        measure(version, **given)
    return str(caught.value)


@pytest.mark.parametrize(
    ("labels", "feature"),
    [
        (list(LIKED.values()), None),
        ([0, 1, 0], ClassLabel(names=["like", "dislike"])),  # in another order
    ],
)
def test_labels_are_matched_by_name(labels: list[Any], feature: Any, trained: Version) -> None:
    results = measure(trained, test=make_dataset(labels, feature=feature))
    split = results.splits["test"]
    assert split.labels.tolist() == [1, 0, 1]
    assert split.probabilities.argmax(axis=1).tolist() == [1, 0, 1]
    assert split.row_numbers is not None
    assert split.row_numbers.tolist() == [0, 1, 2]


def test_the_engine_is_timed(trained: Version) -> None:
    cost = measure(trained, test=make_dataset(list(LIKED.values()))).cost
    assert list(cost.milliseconds_per_text) == ["onnx"]
    assert cost.milliseconds_per_text["onnx"] > 0
    assert cost.timed_tokens == 3  # "a superb evening", "boring and awful"


@pytest.mark.parametrize(
    ("names", "values", "places"),
    [
        (("-1", "1", "pos"), [-1, 1.0, "1", "pos"], [0, 1, 1, 2]),
        (("false", "true"), [False, True, "False", "TRUE"], [0, 1, 0, 1]),
        (("True", "False", "Maybe"), [True, False, "False"], [0, 1, 1]),
        (("0.5", "1"), [0.5, "0.5", 1], [0, 0, 1]),
        (("1", "01"), ["1", "01", 1], [0, 1, 0]),
    ],
)
def test_values_that_classes_are_named_after(
    names: tuple[str, ...], values: list[object], places: list[int]
) -> None:
    assert Classes("single_label", names).encode(values).tolist() == places


@pytest.mark.parametrize("names", [("food", "price", "staff"), ("staff", "food", "price")])
def test_any_number_of_labels(names: tuple[str, ...], trained_tags: Version) -> None:
    numbers = [[names.index(tag) for tag in tags] for tags in TAGGED.values()]
    rows = make_dataset(numbers, texts=TAGGED, feature=List(ClassLabel(names=list(names))))
    split = measure(trained_tags, test=rows).splits["test"]
    assert split.labels.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    thresholds = np.array(trained_tags.metadata.thresholds)
    assert (split.probabilities >= thresholds).astype(int).tolist() == split.labels.tolist()


def test_the_split_that_is_meant(trained: Version) -> None:
    rows, one = make_dataset(list(LIKED.values())), make_dataset(["like"], texts=["superb"])
    for given, expected in (
        ({"train": rows, "test": one}, 1),
        ({"train": rows}, 3),
        ({"split": "train", "train": rows, "test": one}, 3),
    ):
        split = measure(trained, **given).splits["test"]
        assert (split.rows, split.name) == (expected, given.get("split", "test"))


def test_unknown_split(trained: Version) -> None:
    rows = make_dataset(list(LIKED.values()))
    assert refusal(trained, split="dev", test=rows) == "no split 'dev'; there are: test"
    assert refusal(trained, one=rows, two=rows) == (
        "no split 'test'; name one with --split, there are: one, two"
    )


def test_unknown_label(trained: Version) -> None:
    told = refusal(trained, test=make_dataset(["like", "neutral", "like"]))
    assert told.endswith(
        "'label' is 'neutral', which tiny does not know; it knows: dislike, like; "
        "--skip-unusable leaves such rows out"
    )
    names = ClassLabel(names=["like", "neutral"])
    assert refusal(trained, test=make_dataset([0, 1, 0], feature=names)) == (
        "column 'label' has the class 'neutral', which tiny does not know; it knows: dislike, like"
    )


def test_lists_for_a_model_of_one_label(trained: Version) -> None:
    rows = make_dataset([["like", "dislike"], ["dislike"], []])
    assert "'label' is ['like', 'dislike']" in refusal(trained, test=rows)
    one_each = make_dataset([["like"], ["dislike"], []])
    assert "1 of 3 rows of split 'test' cannot be used: in row 2" in refusal(trained, test=one_each)


def test_validation_rows_are_those_that_chose(trained: Version) -> None:
    rows = make_dataset(list(LIKED.values()))
    assert measure(trained, split="validation", validation=rows).splits["test"].name == "test"


def test_no_rows(trained: Version) -> None:
    rows = make_dataset(list(LIKED.values())).select([])
    assert refusal(trained, test=rows) == "split 'test' has no rows"
