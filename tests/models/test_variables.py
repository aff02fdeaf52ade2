"""The places of variables, by their index: they are where the metadata say that weights are."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import variables
from models.errors import VersionCorrupt
from models.registry import Store
from models.variables import INDEX, find_variables
from models.versions import read_weight

STORE = Store(Path(__file__).parents[2] / "models" / "store")
MODELS = ["imdb-gru", "imdb-lstm"]


@pytest.mark.parametrize("model", MODELS)
def test_variables_are_where_weights_are_recorded(model: str) -> None:
    version = STORE.resolve(model)
    found = find_variables(version.path)
    recorded = version.metadata.weights
    assert found["table"] == recorded["embedding"]
    assert found["ngrams"] == recorded["ngrams"]
    for part, name in {"kernel": "kernel", "recurrent_kernel": "recurrent", "bias": "bias"}.items():
        assert found[f"recurrent/0/cell/{part}"] == recorded[f"recurrent_0/{name}"]
    units = version.metadata.architecture.units
    head = read_weight(version.path, found["kernel"])
    assert head.shape == (3 * units, 2)
    assert np.isfinite(head).all()
    assert found["bias"].shape == (2,)


def make_folder(root: Path, index: bytes) -> Path:
    (root / "variables").mkdir(exist_ok=True)
    (root / INDEX).write_bytes(index)
    return root


INTACT = (STORE.resolve("imdb-gru").path / INDEX).read_bytes()


@pytest.mark.parametrize(
    "index",
    [b"", b"short", b"\0" * 100, INTACT[:-1], INTACT[1:], INTACT[200:]],
    ids=["empty", "short", "zeros", "end cut", "start cut", "half"],
)
def test_a_damaged_index_is_refused(index: bytes, tmp_path: Path) -> None:
    with pytest.raises(VersionCorrupt, match="variables.index: not an index of variables"):
        find_variables(make_folder(tmp_path, index))


def test_a_missing_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VersionCorrupt, match="No such file"):
        find_variables(tmp_path)


def test_a_compressed_index_is_refused(tmp_path: Path) -> None:
    offset, size, _ = variables._read_handle(INTACT[-48:], 0)
    data = bytearray(INTACT)
    data[offset + size] = 1  # of the metaindex, which is not read
    assert find_variables(make_folder(tmp_path, bytes(data)))
    blocks = [place for place, byte in enumerate(INTACT[:-48]) if byte == 0]
    with pytest.raises(VersionCorrupt, match="compressed|not an index"):
        for place in blocks:
            data = bytearray(INTACT)
            data[place] = 1
            find_variables(make_folder(tmp_path, bytes(data)))


@pytest.mark.medium
@given(place=st.integers(0, len(INTACT) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_read(place: int, byte: int, tmp_path_factory) -> None:
    data = bytearray(INTACT)
    data[place] = byte
    folder = make_folder(tmp_path_factory.getbasetemp(), bytes(data))
    try:
        found = find_variables(folder)
    except VersionCorrupt:
        return
    assert all(record.offset >= 0 for record in found.values())
