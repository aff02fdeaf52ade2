import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from service.engines.native import tables
from service.engines.native.layout import PRECISIONS
from service.engines.native.library import Library
from service.engines.native.tables import SHARED, keep_table
from tests.service.engines.native.made_up import make_engine, make_weights

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
    another = keep(blocks, "another")
    assert blocks.made == 2
    np.testing.assert_array_equal(another, ROWS)
    inodes = {os.stat(path).st_ino for path in tmp_path.glob("*.table")}
    assert len(inodes) == 2


class TestDeleted:
    """A file is deleted once no worker has the table. Each open file is as a worker of its own."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv(SHARED, str(tmp_path))
        return tmp_path

    @staticmethod
    def tables_in(folder: Path) -> list[str]:
        return sorted(path.stem for path in folder.glob("*.table"))

    def test_when_the_last_worker_lets_go(self, folder: Path) -> None:
        first, second, other = keep(Blocks()), keep(Blocks()), keep(Blocks(), "other")
        del first
        assert self.tables_in(folder) == ["one", "other"]
        np.testing.assert_array_equal(second, ROWS)
        del second
        assert self.tables_in(folder) == ["other"]
        del other
        assert sorted(path.name for path in folder.iterdir()) == ["lock"]

    def test_when_its_engine_goes(self, folder: Path, library: Library) -> None:
        engines = [
            make_engine(make_weights("gru", units=(8, 8)), library=library, precision=each)
            for each in PRECISIONS
        ]
        assert self.tables_in(folder)
        del engines
        assert not self.tables_in(folder)

    @pytest.mark.medium
    def test_after_its_worker_was_killed(self, folder: Path) -> None:
        program = (
            "import os, numpy as np; from service.engines.native.tables import keep_table\n"
            "rows = np.zeros((2, 2), np.int16)\n"
            "kept = keep_table('killed', lambda: iter([rows]), shape=rows.shape, dtype=np.int16)\n"
            "os.kill(os.getpid(), 9)"
        )
        subprocess.run([sys.executable, "-c", program], check=False)
        assert self.tables_in(folder) == ["killed"]
        kept = keep(Blocks())
        assert self.tables_in(folder) == ["one"]
        np.testing.assert_array_equal(kept, ROWS)

    def test_just_before_another_worker_locks_it(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """That worker notices, and makes it anew for itself and for those to come."""
        lock, path = fcntl.flock, folder / "one.table"
        deleted = []

        def delete(file, operation: int) -> None:
            if operation == fcntl.LOCK_SH and len(deleted) < 2:
                deleted.append(path)
                path.unlink()
            lock(file, operation)

        monkeypatch.setattr(fcntl, "flock", delete)
        blocks = Blocks()
        first, second = keep(blocks), keep(blocks)
        assert (len(deleted), blocks.made) == (2, 3)
        np.testing.assert_array_equal(first, ROWS)
        del first
        assert self.tables_in(folder) == ["one"]
        np.testing.assert_array_equal(second, ROWS)

    @pytest.mark.medium
    def test_workers_come_and_go(self, folder: Path) -> None:
        def work(number: int) -> None:
            for turn in range(12):
                kept = keep(Blocks(), f"table-{(number + turn) % 3}")
                np.testing.assert_array_equal(kept, ROWS)
                del kept

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert not self.tables_in(folder)


@pytest.mark.parametrize("shared", [True, False])
def test_without_room_it_is_in_memory(shared: bool, tmp_path: Path, monkeypatch) -> None:
    gone = tmp_path / "gone"
    monkeypatch.setattr(tables.tempfile, "tempdir", str(gone))
    if shared:
        monkeypatch.setenv(SHARED, str(gone))
    np.testing.assert_array_equal(keep(Blocks()), ROWS)
