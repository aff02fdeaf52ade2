import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from service.engines.native import tables
from service.engines.native.tables import SHARED, keep_table

ROWS = np.arange(12, dtype=np.int16).reshape(4, 3)


class Blocks:
    """Makes the rows two at a time; counts how often."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Iterator[np.ndarray]:
        self.made += 1
        yield ROWS[:2]
        yield ROWS[2:]


def keep(blocks: Blocks, name: str = "one") -> np.ndarray:
    return keep_table(name, blocks, shape=ROWS.shape, dtype=np.int16)


def test_a_process_alone_leaves_no_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv(SHARED, raising=False)
    monkeypatch.setattr(tables.tempfile, "tempdir", str(tmp_path))
    table = keep(Blocks())
    assert isinstance(table, np.memmap)
    np.testing.assert_array_equal(table, ROWS)
    assert not list(tmp_path.iterdir())


def test_workers_make_a_table_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(SHARED, str(tmp_path))
    blocks = Blocks()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: keep(blocks), range(8)))
    assert blocks.made == 1
    for table in found:
        np.testing.assert_array_equal(table, ROWS)
    keep(blocks, "another")
    assert blocks.made == 2
    inodes = {os.stat(path).st_ino for path in tmp_path.glob("*.table")}
    assert len(inodes) == 2


@pytest.mark.parametrize("shared", [True, False])
def test_without_room_it_is_in_memory(shared: bool, tmp_path: Path, monkeypatch) -> None:
    gone = tmp_path / "gone"
    monkeypatch.setattr(tables.tempfile, "tempdir", str(gone))
    if shared:
        monkeypatch.setenv(SHARED, str(gone))
    np.testing.assert_array_equal(keep(Blocks()), ROWS)
