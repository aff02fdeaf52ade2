"""A file is whole or not there, and is on disk before it appears."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.atomic import make_folder, replace_file, sync_tree, unfinished_file
from models.locks import claim


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """What is forced to disk and what is renamed, in order."""
    found: list[tuple[str, Path]] = []
    fsync, replace = os.fsync, os.replace

    def note_sync(descriptor: int) -> None:
        found.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}"))))
        fsync(descriptor)

    def note_replace(source: Path, target: Path) -> None:
        found.append(("replace", target))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_replace)
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux has it")


def test_a_file_appears_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    path.write_text("old")
    with replace_file(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_there_stays_where_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replace_file(path) as unfinished:
        unfinished.write_text("half")
        _ = 1 / 0
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_full_disk_took_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("old")
    with pytest.raises(OSError, match="No space"), replace_file(path) as unfinished:
        unfinished.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_files_of_one_stem_do_not_meet(tmp_path: Path) -> None:
    with replace_file(tmp_path / "a.json") as one, replace_file(tmp_path / "a.npz") as other:
        one.write_text("1")
        other.write_text("2")
    assert (tmp_path / "a.json").read_text() == "1"
    assert (tmp_path / "a.npz").read_text() == "2"


def test_two_writers_of_a_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "note"
    with replace_file(path) as one, one.open("w") as file:
        file.write("the first ")
        file.flush()
        with replace_file(path) as other:
            other.write_text("another")
        assert path.read_text() == "another"
        file.write("goes on")
    assert path.read_text() == "the first goes on"
    assert list(tmp_path.iterdir()) == [path]


def leave(folder: Path, content: str, *, age: float = 0.0) -> Path:
    """Leave what a killed writer leaves."""
    with unfinished_file(folder) as unfinished:
        name = unfinished
    name.write_text(content)
    os.utime(name, (time.time() - age,) * 2)
    return name


def write_another(folder: Path) -> None:
    with replace_file(folder / "another") as unfinished:
        unfinished.write_text("new")


@pytest.mark.parametrize(
    ("content", "age", "stays"), [("half", 0, False), ("", 0, True), ("", 100, False)]
)
def test_the_next_writer_deletes_what_a_killed_one_left(
    content: str, age: float, stays: bool, tmp_path: Path
) -> None:
    """An empty file may be one whose writer is about to claim it."""
    left = leave(tmp_path, content, age=age)
    write_another(tmp_path)
    assert left.exists() == stays


@pytest.mark.parametrize(("age", "stays"), [(100, True), (90_000, False)])
def test_a_file_that_is_claimed_stays_while_it_grows(
    age: float, stays: bool, tmp_path: Path
) -> None:
    left = leave(tmp_path, "half", age=age)
    with claim(left):
        write_another(tmp_path)
    assert left.exists() == stays


KILLED = """
import os, signal, sys
from pathlib import Path
from models.atomic import replace_file
with replace_file(Path(sys.argv[1])) as unfinished:
    unfinished.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.e2e
def test_a_writer_may_be_killed(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    write_another(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {"note", "another"}


def test_the_mode_is_that_of_any_new_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    write_another(tmp_path)
    assert (tmp_path / "another").stat().st_mode == plain.stat().st_mode


@needs_proc
def test_the_content_is_on_disk_before_the_name(
    tmp_path: Path, calls: list[tuple[str, Path]]
) -> None:
    path = tmp_path / "note"
    with replace_file(path) as unfinished:
        unfinished.write_text("new")
    assert calls == [("sync", unfinished), ("replace", path), ("sync", tmp_path)]


@needs_proc
def test_the_names_of_new_folders_are_on_disk(
    tmp_path: Path, calls: list[tuple[str, Path]]
) -> None:
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert calls == [("sync", tmp_path), ("sync", tmp_path / "a")]
    make_folder(tmp_path / "a" / "b")
    assert len(calls) == 2


def test_only_folders_that_are_made_get_a_mode(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    make_folder(tmp_path / "a" / "b", mode=0o711)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a" / "b")]
    assert modes == [0o700, 0o711]


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "a")


@needs_proc
def test_a_tree_is_on_disk_with_its_folder_last(
    tmp_path: Path, calls: list[tuple[str, Path]]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").touch()
    (tmp_path / "b").touch()
    sync_tree(tmp_path)
    synced = [path for _, path in calls]
    assert set(synced) == {tmp_path, tmp_path / "in", tmp_path / "in" / "a", tmp_path / "b"}
    assert synced.index(tmp_path / "in" / "a") < synced.index(tmp_path / "in")
    assert synced[-1] == tmp_path
