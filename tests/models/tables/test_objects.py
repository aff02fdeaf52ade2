"""JSON is read in the layouts that people's tools write."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pandas
import pytest

from models.tables.rows import TableError
from tests.models.tables.reading import faults_of, open_written, rows_of, values_of

ROWS = [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}, {"text": "c", "label": "x"}]
VALUES = [list(row.values()) for row in ROWS]


def of_label_studio(*choices: list[str], cancelled: bool = False) -> dict[str, Any]:
    result = [
        {"from_name": "mood", "type": "choices", "value": {"choices": one}} for one in choices
    ]
    return {
        "id": 7,
        "data": {"text": "a"},
        "annotations": [{"id": 1, "was_cancelled": cancelled, "result": result}],
    }


@pytest.mark.parametrize("orient", ["columns", "index", "split", "table", "records"])
def test_frames(tmp_path: Path, orient: Any) -> None:
    content = pandas.DataFrame(ROWS).to_json(orient=orient)
    table = open_written(tmp_path, "r.json", content)
    names = [name for name in table.columns if name != "index"]
    rows = [[row[name] for name in names] for row in map(dict, _values(table))]
    assert rows == VALUES


def _values(table: Any) -> list[Any]:
    return [row.values for batch in table.batches(2) for row in batch.rows]


@pytest.mark.parametrize("many", [25, 400])
def test_frames_of_other_shapes(tmp_path: Path, many: int) -> None:
    frame = pandas.DataFrame([{"text": f"t{n}", "label": n % 2} for n in range(many)])
    for orient in ("columns", "index"):
        table = open_written(tmp_path, "r.json", frame.to_json(orient=orient))
        assert table.columns == ("text", "label")
        assert len(values_of(table)) == many


@pytest.mark.parametrize(
    "content",
    [
        {"data": ROWS},
        {"version": "1", "data": ROWS},
        {"rows": [{"row_idx": n, "row": row, "truncated_cells": []} for n, row in enumerate(ROWS)]},
        {"text": ["a", "b", "c"], "label": ["x", "y", "x"]},
        [{"text": row["text"], "label": row["label"]} for row in ROWS],
    ],
)
def test_rows_under_a_key(tmp_path: Path, content: Any) -> None:
    assert values_of(open_written(tmp_path, "r.json", json.dumps(content))) == VALUES


def test_lines_in_a_file_that_is_called_json(tmp_path: Path) -> None:
    lines = "\n".join(map(json.dumps, ROWS))
    assert values_of(open_written(tmp_path, "r.json", lines)) == VALUES
    assert values_of(open_written(tmp_path, "r.jsonl", json.dumps(ROWS))) == VALUES
    assert values_of(open_written(tmp_path, "r.json", json.dumps(ROWS[0]))) == VALUES[:1]


def test_spacy(tmp_path: Path) -> None:
    examples = [["a", {"cats": {"POS": 1, "NEG": 0}}], ["b", {"cats": {"POS": 0, "NEG": 1}}]]
    table = open_written(tmp_path, "r.json", json.dumps(examples))
    assert values_of(table) == [["a", {"POS": 1, "NEG": 0}], ["b", {"POS": 0, "NEG": 1}]]


def test_label_studio(tmp_path: Path) -> None:
    tasks = [of_label_studio(["Good"]), of_label_studio(["Bad", "Odd"])]
    table = open_written(tmp_path, "r.json", json.dumps(tasks))
    assert table.columns == ("text", "mood")
    assert values_of(table) == [["a", ["Good"]], ["a", ["Bad", "Odd"]]]


def test_cancelled_annotations_of_label_studio_do_not_count(tmp_path: Path) -> None:
    tasks = [of_label_studio(["Good"]), of_label_studio(["Bad"], cancelled=True)]
    assert values_of(open_written(tmp_path, "r.json", json.dumps(tasks))) == [
        ["a", ["Good"]],
        ["a", None],
    ]


def test_a_task_without_a_result_has_no_label(tmp_path: Path) -> None:
    task = {"data": {"text": "a"}, "annotations": [{"result": None}]}
    assert values_of(open_written(tmp_path, "r.json", json.dumps([task]))) == [["a"]]


@pytest.mark.parametrize(
    "content",
    [
        {"columns": 3, "data": [[1]]},
        {"columns": [["text"]], "data": [["a"]]},
        {"columns": ["text"], "data": {"0": "a"}},
        {"columns": ["text"], "data": [1, 2]},
        {"columns": ["text"], "data": [["a", "b"]]},
        [{"data": {"text": "a"}, "annotations": [{"result": [5]}]}],
        [{"data": {"text": "a"}, "annotations": [{"result": 5}]}],
        [{"data": {"text": "a"}, "annotations": [{"result": [{"from_name": ["mood"]}]}]}],
    ],
)
def test_known_layouts_of_other_values(tmp_path: Path, content: Any) -> None:
    with pytest.raises(TableError, match=r"r\.json: line 1 holds no object"):
        open_written(tmp_path, "r.json", json.dumps(content, indent=1))


def test_rows_of_a_frame_that_are_none(tmp_path: Path) -> None:
    content = {"columns": ["text", 0], "data": [["a", "x"], 1, ["b"], None, ["c", "y"]]}
    table = open_written(tmp_path, "r.json", json.dumps(content))
    assert table.columns == ("text", "0")
    assert list(faults_of(table)) == [2, 3, 4]


def test_examples_beside_the_names_of_columns(tmp_path: Path) -> None:
    content = {"columns": ["text", "label"], "data": ROWS}
    assert values_of(open_written(tmp_path, "r.json", json.dumps(content))) == VALUES


LAYOUTS: list[Any] = [
    *(json.loads(pandas.DataFrame(ROWS).to_json(orient=o)) for o in ("columns", "index", "split")),
    {"text": ["a", "b"], "label": ["x", "y"]},
    {"rasa_nlu_data": {"common_examples": ROWS, "regex_features": []}},
    {"rows": [{"row_idx": 0, "row": ROWS[0], "truncated_cells": []}]},
    [["a", {"cats": {"POS": 1, "NEG": 0}}], ["b", {"cats": {"POS": 0, "NEG": 1}}]],
    [of_label_studio(["Good"]), of_label_studio(["Bad", "Odd"])],
    of_label_studio(["Good"], cancelled=True),
]


def with_each_value_replaced(value: Any, by: Any) -> Iterator[Any]:
    """Yield copies of a value of JSON, in each of which one value is another."""
    yield by
    if isinstance(value, dict):
        for key, inner in value.items():
            for each in with_each_value_replaced(inner, by):
                yield {**value, key: each}
    if isinstance(value, list):
        for place, inner in enumerate(value):
            for each in with_each_value_replaced(inner, by):
                yield [*value[:place], each, *value[place + 1 :]]


@pytest.mark.medium
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_value_of_a_layout_may_be_another(tmp_path: Path, layout: Any) -> None:
    """It is a fault of the file or of a row, or a value like any other."""
    for other in (None, 5, "x", [], {}, [5], ["x", "y"], [[]], [{}], {"a": 5}, {"0": None}):
        for changed in with_each_value_replaced(layout, other):
            for name in ("r.json", "r.jsonl"):
                try:
                    table = open_written(tmp_path, name, json.dumps(changed))
                    rows = rows_of(table)
                except TableError:
                    continue
                assert all(isinstance(key, str) for row in rows for key in row.values), changed
                assert all(isinstance(column, str) for column in table.columns), changed


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("rubbish", "not JSON: Expecting value"),
        ('{"text": 1', "not JSON: Expecting"),
        ("[1]", "no JSON object"),
        ("7", "no JSON object"),
    ],
)
def test_lines_that_are_no_rows(tmp_path: Path, line: str, fault: str) -> None:
    content = f'{{"text": "a"}}\n\n{line}\n{{"text": "b"}}\n'
    found = faults_of(open_written(tmp_path, "r.jsonl", content))
    assert list(found) == [3]
    assert fault in found[3]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    table = open_written(tmp_path, "r.jsonl", b'{"text": "a"}\n{"text": "\xff"}\n')
    assert faults_of(table) == {2: "not JSON: bytes that are not UTF-8"}


@pytest.mark.parametrize("content", ['"text"', "7", "[1, 2]", '[{"a": 1},', "{", "null"])
def test_no_rows(tmp_path: Path, content: str) -> None:
    with pytest.raises(TableError, match=r"r\.json: line 1"):
        open_written(tmp_path, "r.json", content)


@pytest.mark.parametrize("name", ["r.json", "r.jsonl"])
@pytest.mark.parametrize(("indent", "between"), [(2, "\n"), (2, "\n\n"), (2, ""), (4, "\r\n")])
def test_objects_over_several_lines(tmp_path: Path, name: str, indent: int, between: str) -> None:
    content = between.join(json.dumps(row, indent=indent) for row in ROWS)
    table = open_written(tmp_path, name, content)
    assert values_of(table) == VALUES
    assert table.notes == [f"{name}: 3 JSON values follow each other"]


def test_values_without_an_end_of_line(tmp_path: Path) -> None:
    lists = json.dumps(ROWS[:1]) + json.dumps(ROWS[1:])
    assert values_of(open_written(tmp_path, "r.json", lists)) == VALUES
    objects = "".join(map(json.dumps, ROWS))
    assert values_of(open_written(tmp_path, "r.json", objects)) == VALUES


def test_an_example_with_objects_in_a_list_stays_one(tmp_path: Path) -> None:
    rows = [{"text": "a", "spans": [{"start": 1}]}, {"text": "b", "spans": [{"start": 2}]}]
    content = "\n".join(json.dumps(row, indent=1) for row in rows)
    assert values_of(open_written(tmp_path, "r.jsonl", content)) == [
        list(row.values()) for row in rows
    ]


@pytest.mark.parametrize("end", [",", ", ", ",\r"])
def test_commas_at_the_ends_of_lines(tmp_path: Path, end: str) -> None:
    content = "".join(json.dumps(row) + f"{end}\n" for row in ROWS)
    for name in ("r.jsonl", "r.json"):
        assert values_of(open_written(tmp_path, name, content)) == VALUES


EXTREMES = [
    ("[" * 100_000, "holds lists in too many lists"),
    (f'{{"text": "a", "id": {"1" * 5_000}}}', "holds a number of thousands of digits"),
]


@pytest.mark.parametrize(("line", "fault"), EXTREMES)
def test_what_python_does_not_read_is_a_fault_of_its_row(
    tmp_path: Path, line: str, fault: str
) -> None:
    table = open_written(tmp_path, "r.jsonl", f'{{"text": "a"}}\n{line}\n{{"text": "b"}}\n')
    assert faults_of(table) == {2: fault}
    with pytest.raises(TableError, match=fault):
        open_written(tmp_path, "r.json", f"[{line}]")


class TestExamplesOfRasa:
    OTHERS: ClassVar = {
        "regex_features": [{"name": "zip", "pattern": "[0-9]{5}"}],
        "entity_synonyms": [{"value": "a", "synonyms": ["b"]}],
        "lookup_tables": [],
    }

    @pytest.mark.parametrize("others", [{}, OTHERS, {"lookup_tables": []}])
    def test_they_are_found(self, tmp_path: Path, others: dict[str, Any]) -> None:
        content = {"rasa_nlu_data": {"common_examples": ROWS, **others}}
        assert values_of(open_written(tmp_path, "r.json", json.dumps(content))) == VALUES

    def test_beside_other_lists_on_top(self, tmp_path: Path) -> None:
        content = {"version": "1", "examples": ROWS, **self.OTHERS}
        assert values_of(open_written(tmp_path, "r.json", json.dumps(content))) == VALUES

    def test_a_frame_of_one_row_stays_one(self, tmp_path: Path) -> None:
        content = {"0": {"text": "a", "spans": [{"start": 1}]}}
        table = open_written(tmp_path, "r.json", json.dumps(content))
        assert values_of(table) == [["a", [{"start": 1}]]]
