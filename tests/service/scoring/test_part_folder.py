"""Parts appear whole, under names that their input determines, and become one result."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from service.scoring.part_folder import MANIFEST, PartFolder, PartNames
from service.scoring.request import ScoreError
from service.scoring.sources import Source


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "in.csv").write_text("text\ngood\n")
    return Source.of(tmp_path / "in.csv")


def write(folder: PartFolder, name: str, *, rows: int) -> None:
    with folder.adding(name) as path:
        pyarrow.parquet.write_table(pyarrow.table({"id": list(range(rows))}), path)


def test_a_name_says_all_that_decides(source: Source) -> None:
    def name(given: Source, **identity: Any) -> str:
        return PartNames.of(given, identity=identity).part(7)

    first = name(source, model="toy:1")
    assert first == name(source, model="toy:1")
    assert first.startswith("in.csv-")
    assert first.endswith("-00000007.parquet")
    assert first != name(source, model="toy:2")
    os.utime(source.path, ns=(1, 1))
    assert first != name(Source.of(source.path), model="toy:1")


def test_whole_parts_become_the_result(source: Source, tmp_path: Path) -> None:
    folder = PartFolder(tmp_path / "out")
    names = PartNames.of(source, identity={"model": "toy:1"})
    old = PartNames.of(source, identity={"model": "toy:0"})
    with folder.held():
        for name, rows in ((names.part(0), 3), (names.part(1), 2), (old.part(0), 9)):
            write(folder, name, rows=rows)
        write(folder, names.part(1), rows=2)  # by a task that was repeated
        (folder.path / ".writing-of-a-killed-process").write_bytes(b"half")
        folder.finish({names: [3, 2]}, about={"model": "toy:1"})
    out = tmp_path / "out"
    assert sorted(os.listdir(out)) == sorted([MANIFEST, names.part(0), names.part(1)])
    assert not folder.path.exists()
    manifest = json.loads((out / MANIFEST).read_text())
    assert (manifest["model"], manifest["rows"]) == ("toy:1", 5)
    (listed,) = manifest["sources"]
    assert listed["parts"] == {names.part(0): 3, names.part(1): 2}
    assert pyarrow.parquet.read_table(out).num_rows == 5  # readers pass by the manifest


@pytest.mark.parametrize(("rows", "there_is"), [(None, "no file"), (4, "4")])
def test_a_part_that_is_missing_or_short(
    source: Source, tmp_path: Path, rows: int | None, there_is: str
) -> None:
    folder = PartFolder(tmp_path / "out")
    names = PartNames.of(source, identity={})
    with folder.held():
        if rows is not None:
            write(folder, names.part(0), rows=rows)
        with pytest.raises(ScoreError, match=f"expected 5 rows, found {there_is}; delete it"):
            folder.finish({names: [5]}, about={})
    assert not (tmp_path / "out").exists()


def test_a_part_that_could_not_be_written_is_not_there(source: Source, tmp_path: Path) -> None:
    folder = PartFolder(tmp_path / "out")
    with folder.held():
        with pytest.raises(OSError, match="full"), folder.adding("a.parquet") as path:
            path.write_bytes(b"half")
            raise OSError("full")
        assert list(folder.path.iterdir()) == []
        folder.drop_if_empty()
    assert not folder.path.exists()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    folder = PartFolder(tmp_path / "out")
    busy = pytest.raises(ScoreError, match="another process is scoring to")
    with folder.held(), busy, PartFolder(tmp_path / "out").held():
        pass


def test_a_node_without_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ScoreError, match="node-7 cannot see .*out.parts; give an --out in a fold"):
        PartFolder(tmp_path / "out").check(where="node-7")
