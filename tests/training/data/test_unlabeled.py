"""Texts without labels: each once, and none that are held back for tests."""

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict

from tests.training.labelled_files import write_csv, write_jsonl
from training.data.unlabeled import read_corpus, shorten_name
from training.errors import DataError
from training.reading import Reading


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A dataset of several splits."""
    texts = {
        "train": ["one", "two", "one"],
        "unsupervised": ["three", "", "two", "  ", None],
        "test": ["held back"],
    }
    splits = {name: Dataset.from_dict({"text": found}) for name, found in texts.items()}
    DatasetDict(splits).save_to_disk(tmp_path / "corpus")
    return str(tmp_path / "corpus")


def read(name: str, *, column: str | None = None) -> list[str]:
    return read_corpus(name, reading=Reading(text_column=column))


def refusal(name: str, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(name, **options)
    return str(caught.value)


def test_every_text_once_but_none_of_test(folder: str) -> None:
    assert read(folder) == ["one", "two", "three"]


def test_a_split_by_name(folder: str) -> None:
    assert read(f"{folder}:unsupervised") == ["three", "two"]
    assert read(f"{folder}:test") == ["held back"]


def test_a_file(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [("a", 1), ("b", 2)], header=("words", "number"))
    assert read(str(path)) == ["a", "b"]
    # The labelled rows' column need not be there.
    assert read(str(path), column="text") == ["a", "b"]
    assert read(str(path), column="words") == ["a", "b"]


def test_unknown_split(folder: str) -> None:
    assert refusal(f"{folder}:dev") == (
        f"--unlabeled '{folder}:dev': no split 'dev'; there are: train, unsupervised, test"
    )


def test_no_text(tmp_path: Path) -> None:
    Dataset.from_dict({"text": ["", " "]}).save_to_disk(tmp_path / "empty")
    assert refusal(str(tmp_path / "empty")) == (
        f"--unlabeled '{tmp_path / 'empty'}': no text in train"
    )


def test_no_such_dataset(tmp_path: Path) -> None:
    assert refusal(str(tmp_path / "nowhere")).startswith("no file or folder")


def test_a_column_that_is_no_text(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [(1, "a"), (2, "b")])
    assert refusal(str(path), column="text").endswith(": no text in train")


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        (
            "u.txt",
            "sch\xf6n\nfine\n",
            "1 of 2 rows cannot be used: in u.txt, line 1 the text holds",
        ),
        ("u.csv", "id,text\n1,fine\n2,one,more\n", "1 of 2 rows of split 'train' cannot be read"),
        (
            "u.jsonl",
            '{"text": "fine"}\n{"text": 3}\n',
            "in u.jsonl, line 2 the text is no text but i",
        ),
        (
            "u.jsonl",
            '{"text": "fine"}\n{"text": "a\n',
            "rows of split 'train' cannot be read: in u.j",
        ),
    ],
)
def test_rows_that_cannot_be_used(name: str, content: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode("latin-1"))
    message = refusal(str(path))
    assert fault in message
    assert message.endswith("; --skip-unusable leaves such rows out")
    notices: list[str] = []
    reading = Reading(skip_unusable=True)
    assert read_corpus(str(path), reading=reading, notices=notices) == ["fine"]
    (notice,) = notices
    assert notice.startswith(f"--unlabeled '{path}': 1 ")
    assert "left out" in notice


def test_no_row_that_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "u.txt"
    path.write_bytes("schön\n".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8; name the --encoding .* no other row has a te"):
        read_corpus(str(path), reading=Reading(skip_unusable=True))


def test_a_recorded_name_has_no_path_in_it(tmp_path: Path) -> None:
    write_csv(tmp_path / "more.csv")
    assert shorten_name(str(tmp_path / "more.csv")) == "more.csv"
    assert shorten_name(f"{tmp_path / 'more.csv'}:train") == "more.csv:train"
    assert shorten_name("somebody/reviews:train") == "somebody/reviews:train"
