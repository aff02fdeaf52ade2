"""A lock is held by one process at a time, and by none that is dead."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.loader import ROOT, uncovered_environment
from training.errors import TrainingError
from training.workspace import lock as module
from training.workspace.lock import lock

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
    path, flock = tmp_path / "lock", module.fcntl.flock

    def delete_first(*given: Any) -> None:
        monkeypatch.setattr(module.fcntl, "flock", flock)
        path.unlink()
        flock(*given)

    monkeypatch.setattr(module.fcntl, "flock", delete_first)
    with lock(path, busy=""), pytest.raises(TrainingError, match="it is at work"):
        take(path)


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(module.fcntl, "flock", refuse)
    take(tmp_path / "lock")
