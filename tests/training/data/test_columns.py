"""Text and label column are found where one choice is sensible; else all columns are listed."""

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from training.data.columns import find_columns, find_text
from training.errors import DataError

TEXT, LARGE, NUMBER = Value("string"), Value("large_string"), Value("int64")
CLASSES = ClassLabel(names=["a", "b"])


def find(text: str | None = None, label: str | None = None, /, **features) -> tuple[str, str]:
    rows = Dataset.from_dict({name: [] for name in features}, features=Features(features))
    return find_columns(rows, text=text, label=label)


def refusal(text: str | None = None, label: str | None = None, /, **features) -> str:
    with pytest.raises(DataError) as caught:
        find(text, label, **features)
    return str(caught.value)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"text": TEXT, "label": NUMBER}, ("text", "label")),
        ({"label": TEXT, "text": TEXT}, ("text", "label")),
        ({"Text": LARGE, "Sentiment": LARGE}, ("Text", "Sentiment")),
        ({"utterance": TEXT, "answer": NUMBER}, ("utterance", "answer")),
        ({"review": TEXT, "verdict": TEXT}, ("review", "verdict")),
        ({"idx": NUMBER, "sentence": TEXT, "label": CLASSES}, ("sentence", "label")),
        ({"id": TEXT, "text": TEXT, "stars": NUMBER}, ("text", "stars")),
        ({"title": TEXT, "content": TEXT, "outcome": CLASSES}, ("content", "outcome")),
        ({"text": TEXT, "labels": List(CLASSES), "id": TEXT}, ("text", "labels")),
        ({"id": TEXT, "text": TEXT, "themes": List(CLASSES)}, ("text", "themes")),
        ({"text": TEXT, "tags": List(TEXT)}, ("text", "tags")),
        # no text, but what is wrong with it is better told by row
        ({"text": NUMBER, "label": NUMBER}, ("text", "label")),
    ],
)
def test_found(features, expected: tuple[str, str]) -> None:
    assert find(**features) == expected


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (("b", None), ("b", "label")),
        (("label", "a"), ("label", "a")),
        (("a", "b"), ("a", "b")),
    ],
)
def test_named(named: tuple[str, str | None], expected: tuple[str, str]) -> None:
    assert find(*named, a=TEXT, b=TEXT, label=TEXT) == expected


def test_named_text_leaves_the_other_column() -> None:
    assert find("first", None, first=TEXT, second=TEXT) == ("first", "second")
    assert find(None, "first", first=TEXT, second=TEXT) == ("second", "first")


def test_missing() -> None:
    features = {"body": TEXT, "stars": NUMBER, "kind": CLASSES, "tags": List(CLASSES)}
    there_are = (
        "no such column; there are: "
        "body (text), stars (int64), kind (2 classes), tags (lists of 2 classes)"
    )
    assert refusal("txt", None, **features) == f"--text-column 'txt': {there_are}"
    assert refusal(None, "star", **features) == f"--label-column 'star': {there_are}"


def test_same() -> None:
    assert refusal("a", "a", a=TEXT, b=TEXT) == (
        "text and label column are both 'a'; there are: a (text), b (text)"
    )


@pytest.mark.parametrize(
    ("features", "option"),
    [
        ({"utterance": TEXT, "intention": TEXT}, "--label-column"),
        ({"text": TEXT, "label": NUMBER, "rating": NUMBER}, "--label-column"),
        ({"one": CLASSES, "two": CLASSES, "text": TEXT}, "--label-column"),
        ({"text": TEXT, "x": NUMBER, "y_": NUMBER}, "--label-column"),
        ({"first": TEXT, "second": TEXT, "label": NUMBER}, "--text-column"),
        ({"review": TEXT, "comment": TEXT, "label": NUMBER}, "--text-column"),
        ({"x": NUMBER, "label": NUMBER}, "--text-column"),
    ],
)
def test_unclear(features, option: str) -> None:
    message = refusal(**features)
    assert f"name it with {option}; there are: " in message
    for name in features:
        assert f"{name} (" in message


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"words": TEXT}, "words"),
        ({"id": TEXT, "text": TEXT, "label": NUMBER}, "text"),
        ({"words": TEXT, "label": NUMBER}, "words"),
    ],
)
def test_text_alone(features, expected: str) -> None:
    assert find_text(Features(features)) == expected


def test_text_alone_unclear() -> None:
    with pytest.raises(DataError, match=r"name it with --text-column; there are: a \(text\), b "):
        find_text(Features(a=TEXT, b=TEXT))


def test_one_column() -> None:
    message = refusal(**{"text;label": TEXT})
    assert message.startswith("a text and a label column are needed; there are: text;label (text)")
    assert "separated by commas in .csv" in message
