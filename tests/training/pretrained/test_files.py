"""A pretrained network is read as it was written, but for rounding; broken files are named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from safetensors.numpy import load_file, save_file

from models.tokenizer import Tokenizer
from tests.training.pretrained.networks import TOKENS, make_pretrained
from training.errors import TrainingError
from training.pretrained.files import is_pretrained, path_of, read_pretrained, save_pretrained

NOTES = {"teacher": "someone"}


def write(folder: Path, cell: str = "gru") -> Path:
    return save_pretrained(make_pretrained(cell), folder, notes=NOTES)


def change(path: Path, *, told: dict[str, Any] | None = None, **arrays: Any) -> None:
    """Write a file anew with other arrays or another head; None takes an array away."""
    with safetensors.safe_open(path, framework="numpy") as file:
        head = json.loads(file.metadata()["gatewise"])
    content = {k: v for k, v in (load_file(path) | arrays).items() if v is not None}
    save_file(content, path, metadata={"gatewise": json.dumps(head | (told or {}))})


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_it_is_read_as_it_was_written(tmp_path: Path, cell: str) -> None:
    written = make_pretrained(cell)
    write(tmp_path / "mine", cell)
    found = read_pretrained(tmp_path / "mine", cell=cell)
    assert found.shape == written.shape
    assert found.tokenizer.digest == written.tokenizer.digest
    assert (found.record.name, found.record.license) == ("mine", "mit")
    step = np.abs(written.embedding).max(axis=1, keepdims=True) / 127
    assert (np.abs(found.embedding - written.embedding) <= 0.51 * step).all()
    for mine, yours in zip(found.layers[0], written.layers[0], strict=True):
        np.testing.assert_allclose(mine, yours, rtol=1e-3)


def test_cells_share_a_folder_and_differ_in_their_hash(tmp_path: Path) -> None:
    for cell in ("gru", "lstm"):
        write(tmp_path, cell)
    hashes = {read_pretrained(tmp_path, cell=cell).record.sha256 for cell in ("gru", "lstm")}
    assert len(hashes) == 2


def test_rows_of_zeros_and_of_large_numbers(tmp_path: Path) -> None:
    network = make_pretrained()
    network.embedding[0], network.embedding[1] = 0, 1e4
    save_pretrained(network, tmp_path, notes=NOTES)
    found = read_pretrained(tmp_path, cell="gru").embedding
    np.testing.assert_array_equal(found[0], 0)
    np.testing.assert_allclose(found[1], 1e4, rtol=1e-2)


def test_another_vocabulary_is_not_written_over(tmp_path: Path) -> None:
    write(tmp_path)
    other = make_pretrained("lstm", tokens=[*TOKENS, "more"])
    with pytest.raises(TrainingError, match=r"tokenizer\.json has other words; name another fold"):
        save_pretrained(other, tmp_path, notes=NOTES)
    assert Tokenizer.load(tmp_path / "tokenizer.json").tokens == tuple(TOKENS)
    assert not path_of(tmp_path, "lstm").exists()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(TrainingError, match="is a file; name a folder with --out"):
        save_pretrained(make_pretrained(), blocked, notes=NOTES)


def test_words_stay_as_they_are_when_another_cell_comes(tmp_path: Path) -> None:
    write(tmp_path)
    before = (tmp_path / "tokenizer.json").stat()
    write(tmp_path, "lstm")
    after = (tmp_path / "tokenizer.json").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gru.safetensors",
        "lstm.safetensors",
        "tokenizer.json",
    ]


def test_which_folders_hold_networks(tmp_path: Path) -> None:
    assert not is_pretrained(tmp_path)
    assert not is_pretrained(tmp_path / "none")
    write(tmp_path)
    assert is_pretrained(tmp_path)


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="has no pretrained network of the cell gru"):
        read_pretrained(tmp_path, cell="gru")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"told": {"tokenizer_sha256": "0"}}, r"tokenizer\.json is that of another network"),
        ({"told": {"format_version": 2}}, "was written by a newer release"),
        ({"embedding": np.zeros((3, 4), np.int8), "scale": np.ones((3, 1), np.float16)}, "shape"),
        ({"embedding": None}, "KeyError"),
        ({"layer/0/1": None}, "KeyError"),
        ({"layer/0/0": np.full((4, 9), np.nan, np.float16)}, "NaN"),
        ({"told": {"shape": {"cell": "lstm", "layers": 1, "units": 3, "embedding": 4}}}, "lstm"),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    path = write(tmp_path)
    change(path, **changes)
    with pytest.raises(TrainingError, match=told):
        read_pretrained(tmp_path, cell="gru")


def test_files_that_are_no_such_files(tmp_path: Path) -> None:
    path = write(tmp_path)
    for content in (b"", b"rubbish", path.read_bytes()[:-7]):
        path.write_bytes(content)
        with pytest.raises(TrainingError, match="is no pretrained network"):
            read_pretrained(tmp_path, cell="gru")
    save_file({"embedding": np.zeros(2)}, path)
    with pytest.raises(TrainingError, match="is no pretrained network"):
        read_pretrained(tmp_path, cell="gru")


def test_a_tokenizer_that_is_none(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(TrainingError, match=r"tokenizer\.json"):
        read_pretrained(tmp_path, cell="gru")
