"""Labels are read in the ways in which people write them, and none is rewritten."""

from decimal import Decimal
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from training.data.labels import (
    LabelFormat,
    find_format,
    name_class,
    order_names,
    same_name,
    show_name,
    tidy,
)
from training.data.rows import Rows, TableRows
from training.errors import DataError

NAMES = ("calm", "loud", "odd")


def rows_of(values: list[Any], *, typed: bool = True) -> Rows:
    texts = [f"text {row}" for row in range(len(values))]
    places = [("r.json, row", row + 1) for row in range(len(values))]
    return TableRows({"text": texts, "label": values}, places, typed=typed)


def find(rows: Rows, **options: Any) -> LabelFormat:
    return find_format(rows, "label", list(rows["label"]), **options)


def read(values: list[Any], *, typed: bool = True, several: bool | None = None) -> list[Any]:
    return find(rows_of(values, typed=typed), several=several).read(values)


class TestMultiHot:
    @pytest.mark.parametrize(
        "marks", [(0, 1), (False, True), (0.0, 1.0)], ids=["integers", "truths", "floats"]
    )
    def test_named_by_place(self, marks: tuple[Any, Any]) -> None:
        no, yes = marks
        values = [[yes, no, no], [no, no, no], [yes, no, yes], None]
        form = find(rows_of(values))
        assert (form.shape, form.names, form.several) == ("multi_hot", ("0", "1", "2"), True)
        assert form.read(values) == [["0"], [], ["0", "2"], None]
        assert "0 or 1 for 3 labels" in str(form.notice)

    def test_in_a_text(self) -> None:
        assert read(["[1, 0, 0]", "[0, 1, 1]"], typed=False) == [["0"], ["1", "2"]]

    def test_named_by_the_feature(self) -> None:
        features = Features(text=Value("string"), label=List(ClassLabel(names=list(NAMES))))
        values = [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
        rows = Dataset.from_dict({"text": list("abc"), "label": values}, features=features)
        form = find(rows)
        assert (form.shape, form.names) == ("multi_hot", NAMES)
        assert form.read(values) == [[0], [1, 2], []]

    def test_numbers_of_declared_classes_are_none(self) -> None:
        features = Features(text=Value("string"), label=List(ClassLabel(names=list(NAMES))))
        values = [[1, 0], [0], [], [0, 1]]
        rows = Dataset.from_dict({"text": list("abcd"), "label": values}, features=features)
        assert find(rows).shape == "list"

    @pytest.mark.parametrize("values", [[[1], [0]], [[0, 2], [1, 2]], [[1, 0], [1]], [["0", "1"]]])
    def test_other_lists_are_none(self, values: list[Any]) -> None:
        assert find(rows_of(values)).shape == "list"

    @pytest.mark.parametrize("wrong", [[1, 0], [1, 0, 2], [1, None, 0], "x"])
    def test_another_row_is_left_for_the_reader_to_refuse(self, wrong: Any) -> None:
        form = find(rows_of([[1, 0, 0], [0, 1, 1]]))
        assert form.read([wrong]) == [wrong]

    def test_shares(self) -> None:
        with pytest.raises(DataError, match=r"holds shares such as 0\.3; .* write 1 or 0"):
            find(rows_of([[0.3, 0.7, 0.0], [1.0, 0.0, 0.0]]))


class TestLists:
    @pytest.mark.parametrize(
        "texts", [['["a", "b"]', "[]", '["c"]'], ["['a', 'b']", "[]", "['c']"]]
    )
    def test_in_a_text(self, texts: list[str]) -> None:
        assert read(texts, typed=False) == [["a", "b"], [], ["c"]]

    def test_exactly_one_in_each_is_one_label(self) -> None:
        values = [["a"], ["b"], None, ["a"]]
        form = find(rows_of(values))
        assert not form.several
        assert form.read(values) == ["a", "b", None, "a"]
        assert "exactly one" in str(form.notice)
        assert read(values, several=True) == values

    @pytest.mark.parametrize("empty", [[], [""], [" "]])
    def test_an_empty_one_among_lists_of_one_is_no_label(self, empty: list[Any]) -> None:
        values = [["a"], ["b"], empty, ["a"]]
        form = find(rows_of(values))
        assert not form.several
        assert form.read(values) == ["a", "b", None, "a"]
        assert str(form.notice).endswith("holds one at most, so an empty one is no label")

    @pytest.mark.parametrize("empty", [[], [""]])
    def test_an_empty_one_among_longer_lists_is_none_of_the_labels(self, empty: list[Any]) -> None:
        assert read([["a", "b", ""], ["a"], empty]) == [["a", "b"], ["a"], []]

    def test_nothing_but_empty_ones(self) -> None:
        assert find(rows_of([[], []])).several

    def test_choices(self) -> None:
        values = ['{"choices": ["a", "b"]}', '{"choices": ["c"]}']
        assert read(values, typed=False) == [["a", "b"], ["c"]]

    def test_objects_by_name(self) -> None:
        values = [{"A": 1, "B": 0}, {"A": 0, "B": 1}]
        assert read(values) == ["A", "B"]
        assert read([{"A": True, "B": True}, {"A": False, "B": False}]) == [["A", "B"], []]

    @pytest.mark.parametrize("values", [["[sic]", "x"], ["[", "y"], ["{a}", "z"]])
    def test_brackets_in_names(self, values: list[str]) -> None:
        assert read(values, typed=False) == values


class TestNames:
    @pytest.mark.parametrize(
        ("value", "name"),
        [
            ("00501", "00501"), ("1E5", "1E5"), (" x", " x"), (1, "1"), (-1, "-1"), (1.0, "1"),
            (0.5, "0.5"), (True, "true"), (float("inf"), None), (None, None), ([1], None),
            ("", None), (" ", None),
        ],
    )  # fmt: skip
    def test_of_values(self, value: Any, name: str | None) -> None:
        assert name_class(value) == name

    def test_order(self) -> None:
        assert order_names(["b", "10", "9", "-1", "a", "4.5"]) == ("-1", "4.5", "9", "10", "a", "b")

    @pytest.mark.parametrize(
        "dirty",
        ["neg ", " neg", "neg\u00a0", "neg\u200b", "\ufeffneg", "\uff4e\uff45\uff47", "Neg", "NEG",
         "n\u00adeg", "neg\t"],
    )  # fmt: skip
    def test_alike(self, dirty: str) -> None:
        assert same_name(dirty) == same_name("neg")

    def test_composed_and_decomposed(self) -> None:
        assert same_name("e\u0301te\u0301") == same_name("\u00e9t\u00e9")
        assert tidy(" e\u0301  te\u0301 ") == "\u00e9 t\u00e9"

    def test_others_are_not_alike(self) -> None:
        assert len({same_name(name) for name in ("neg", "negs", "n e g", "né", "01", "1")}) == 6

    def test_shown(self) -> None:
        assert show_name("neg") == "neg"
        assert show_name("neg ") == "'neg '"
        assert show_name("neg\u200b") == "'neg\\u200b'"
        assert show_name("neg", quoted=True) == "'neg'"


class TestSeveralInOneText:
    @pytest.mark.parametrize("separator", ["|", ";", "#", ",", ", ", " / "])
    def test_named_by_the_user(self, separator: str) -> None:
        values = [f"toxic{separator}rude", "rude", f" rude {separator}{separator}rude", "", None]
        form = find(rows_of(values, typed=False), separator=separator)
        assert form.several
        assert form.read(values) == [["toxic", "rude"], ["rude"], ["rude"], None, None]

    def test_lists_stay_lists(self) -> None:
        values = ["a|b", ["c", "d|e"]]
        assert find(rows_of(values), separator="|").read(values) == [
            ["a", "b"],
            ["c", "d|e"],
        ]

    def test_a_separator_that_is_nowhere(self) -> None:
        rows = rows_of(["a;b", "c"], typed=False)
        with pytest.raises(DataError, match=r"--split-labels '\|': column 'label' holds none"):
            find(rows, separator="|")
        form = find(rows, several=True, separator="|")  # to evaluate on
        assert form.read(["a", "b"]) == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("number", "name"), [("1.0", "1"), ("2.50", "2.5"), ("-1", "-1"), ("NaN", None)]
)
def test_decimals_of_databases(number: str, name: str | None) -> None:
    assert name_class(Decimal(number)) == name
