"""A lock is held by one process at a time, and by none that is dead."""

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.loader import ROOT, uncovered_environment
from training.errors import CannotWrite, TrainingError
from training.workspace import lock as locking
from training.workspace.lock import lock, lock_training, refuse_second_training

fcntl = pytest.importorskip("fcntl")  # so not on Windows
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")

HOLD = """
import sys, time
from pathlib import Path
from training.workspace.lock import lock

with lock(Path(sys.argv[1]), busy=""):
    print("held", flush=True)
    time.sleep(600)
"""


def take(path: Path) -> None:
    with lock(path, busy="it is at work"):
        pass


def test_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "lock"
    with lock(path, busy=""):
        with pytest.raises(TrainingError, match=r"^it is at work$"):
            take(path)
        take(tmp_path / "another")
    take(path)
    assert not path.exists()


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path / "lock", busy=""):
        _ = 1 / 0
    take(tmp_path / "lock")


@pytest.mark.medium
def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(
        command, cwd=ROOT, env=uncovered_environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match="it is at work"):
            take(path)
        process.kill()
    assert path.exists()
    take(path)


def test_a_lock_that_its_holder_deletes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, flock = tmp_path / "lock", fcntl.flock

    def delete_first(*given: Any) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        path.unlink()
        flock(*given)

    monkeypatch.setattr(fcntl, "flock", delete_first)
    with lock(path, busy=""), pytest.raises(TrainingError, match="it is at work"):
        take(path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no locks available")

    path, entered = tmp_path / "lock", False
    monkeypatch.setattr(fcntl, "flock", refuse)
    with lock(path, busy=""):
        entered = True
    assert entered
    assert not path.exists()


def test_what_is_no_lock_is_not_made(tmp_path: Path) -> None:
    refuse_second_training("mine", work=tmp_path / "work")
    assert list(tmp_path.iterdir()) == []
    with lock_training("mine", work=tmp_path), pytest.raises(TrainingError, match="another train"):
        refuse_second_training("mine", work=tmp_path)


def test_a_file_that_cannot_be_made_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(OSError, match="lock"), lock(tmp_path / "lock", busy=""):
        pytest.fail("it was entered")


def test_a_disk_that_takes_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(locking.locks, "lock", refuse)
    with pytest.raises(CannotWrite) as caught, lock_training("mine", work=tmp_path):
        pytest.fail("it was entered")
    assert str(caught.value).startswith(f"cannot write to {tmp_path / 'checkpoints'}: Read-only")


def test_what_fails_while_it_is_held_is_not_taken_for_its_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of another place"), lock(tmp_path / "lock", busy=""):
        raise OSError(errno.ENOSPC, "of another place")
