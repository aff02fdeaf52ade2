"""Parquet is read as its writers meant it."""

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from models.tables.opening import open_table
from tests.models.tables.reading import values_of


def write_table(path: Path, arrays: list[pyarrow.Array], names: list[str]) -> Path:
    pyarrow.parquet.write_table(pyarrow.table(arrays, names=names), path)
    return path


def test_columns_of_one_name(tmp_path: Path) -> None:
    arrays = [pyarrow.array(values) for values in (["a", "b"], ["x", "y"], [1, 2])]
    path = write_table(tmp_path / "r.parquet", arrays, ["text", "label", "label"])
    table = open_table(path)
    assert table.columns == ("text", "label", "label.2")
    assert values_of(table) == [["a", "x", 1], ["b", "y", 2]]
    assert table.notes == [
        "r.parquet: 2 columns have the name 'label'; the second is read as 'label.2'"
    ]


@pytest.mark.parametrize("kind", [pyarrow.binary(), pyarrow.large_binary(), pyarrow.binary(2)])
def test_bytes_that_are_texts(tmp_path: Path, kind: pyarrow.DataType) -> None:
    array = pyarrow.array([b"ab", "é".encode(), None, b"\xff\xfe"], kind)
    table = open_table(write_table(tmp_path / "r.parquet", [array], ["text"]))
    assert values_of(table) == [["ab"], ["é"], [None], [b"\xff\xfe"]]
