"""Text and label column are found where one choice is sensible; else all columns are listed."""

from typing import ClassVar

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from training.data.columns import choose_columns, find_columns, find_text
from training.data.rows import TableRows
from training.errors import DataError
from training.reading import Reading

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


def table(typed: bool = False, **columns: list[object]) -> TableRows:
    count = len(next(iter(columns.values())))
    places = [("r.csv, line", row + 2) for row in range(count)]
    return TableRows(dict(columns), places, typed=typed)


class TestMarks:
    COLUMNS: ClassVar = {"comment": ["a", "b"], "toxic": ["0", "1"], "obscene": ["1", "0"]}

    def test_columns_of_0_and_1_are_labels(self) -> None:
        rows = table(**self.COLUMNS)
        chosen = choose_columns(rows, Reading())
        assert (chosen.text, chosen.joined) == ("comment", ("toxic", "obscene"))
        assert "columns toxic, obscene" in str(chosen.notice)
        assert chosen.view(rows)[chosen.label] == [["0", "1"], ["1", "0"]]

    def test_named(self) -> None:
        rows = table(id=["x1", "x2"], **self.COLUMNS)
        chosen = choose_columns(
            rows, Reading(label_columns="toxic, obscene", text_column="comment")
        )
        assert chosen.label == "toxic,obscene"

    @pytest.mark.parametrize("values", [[True, False], [0, 1], [1.0, 0.0], [None, 1]])
    def test_typed(self, values: list[object]) -> None:
        rows = table(typed=True, words=["a", "b"], one=values, two=values)
        assert choose_columns(rows, Reading()).joined == ("one", "two")

    def test_a_column_that_is_called_label_is_the_label(self) -> None:
        rows = table(text=["a", "b"], label=["0", "1"], flag=["1", "0"])
        assert choose_columns(rows, Reading()).label == "label"

    def test_other_numbers_are_no_marks(self) -> None:
        with pytest.raises(DataError, match="name it with --label-column"):
            choose_columns(table(words=["a", "b"], one=["0", "1"], two=["2", "1"]), Reading())

    @pytest.mark.parametrize(
        ("reading", "said"),
        [
            (Reading(label_columns="toxic,rude"), "no column 'rude'; there are: comment"),
            (Reading(label_columns="toxic"), "two columns are needed at least"),
            (Reading(label_columns="toxic,obscene", label_column="toxic"), "exclude each other"),
        ],
    )
    def test_refused(self, reading: Reading, said: str) -> None:
        with pytest.raises(DataError, match=said):
            choose_columns(table(**self.COLUMNS), reading)


def test_a_file_without_a_header() -> None:
    rows = table(**{"Great film": ["dull", "nice"], "pos": ["neg", "pos"]})
    with pytest.raises(DataError, match=r"no names of columns: 'pos' is also a label"):
        choose_columns(rows, Reading(label_column="pos"))


def test_numbers_in_a_file_without_types_are_no_text() -> None:
    rows = table(id=["1", "2"], note=["x", "y"], label=["a", "b"])
    assert choose_columns(rows, Reading()).text == "note"
