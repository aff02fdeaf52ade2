"""The files that a path means, and a file that is another one meanwhile."""

from pathlib import Path

import pytest

from service.scoring.request import ScoreError
from service.scoring.sources import Source, list_sources


def names(given: Path, **options: str) -> list[str]:
    return [source.path.name for source in list_sources(given, **options)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    for name in ("b.csv", "a.jsonl.gz", "deep/c.csv", "notes.md", ".hidden.csv"):
        (tmp_path / name).write_text("text\ngood\n")
    return tmp_path


def test_a_file(folder: Path) -> None:
    assert names(folder / "notes.md") == ["notes.md"]  # what its kind is, reading says


def test_a_folder_means_its_tables(folder: Path) -> None:
    assert names(folder) == ["a.jsonl.gz", "b.csv", "c.csv"]
    assert "notes.md" in names(folder, format="csv")


def test_a_folder_of_texts_is_one_source(tmp_path: Path) -> None:
    for name in ("1.txt", "2.txt"):
        (tmp_path / name).write_text("good")
    (source,) = list_sources(tmp_path)
    assert (source.path, source.size) == (tmp_path, 8)


def test_a_glob(folder: Path) -> None:
    assert names(folder / "*.csv") == ["b.csv"]
    assert names(folder / "**" / "*.csv") == ["b.csv", "c.csv"]


@pytest.mark.parametrize("given", ["nothing.csv", "*.tsv"])
def test_nothing_there(folder: Path, given: str) -> None:
    with pytest.raises(ScoreError, match=r"there is no file .*" + given.replace("*", r"\*")):
        list_sources(folder / given)


def test_another_file_meanwhile(folder: Path) -> None:
    source = Source.of(folder / "b.csv")
    source.check(where="here")
    (folder / "b.csv").write_text("text\nbad\n")
    with pytest.raises(ScoreError, match=r"b\.csv was changed meanwhile"):
        source.check(where="here")
    (folder / "b.csv").unlink()
    with pytest.raises(ScoreError, match=r"node-7 cannot read .*b\.csv: No such file"):
        source.check(where="node-7")
