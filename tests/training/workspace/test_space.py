"""A disk that takes no more is one line with folder and sizes, and leaves nothing half written."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.workspace.test_checkpoint import Course, make_tracked
from training.errors import CannotWrite
from training.workspace import atomic
from training.workspace.atomic import save_arrays, save_json
from training.workspace.checkpoint import Checkpoint
from training.workspace.space import writing


def fail(number: int) -> OSError:
    return OSError(number, "it takes no more")


class OfTensorFlow(Exception):
    """Has what the errors of TensorFlow have."""

    error_code, op = 8, None


def refuse(error: Exception, folder: Path, *, needed: int = 0) -> str:
    with pytest.raises(CannotWrite) as caught, writing(folder, needed=needed):
        raise error
    assert caught.value.__cause__ is error
    return str(caught.value)


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO]
)
def test_a_disk_that_takes_no_more(number: int, tmp_path: Path) -> None:
    told = refuse(fail(number), tmp_path, needed=12_345_678)
    start = f"cannot write to {tmp_path}: it takes no more; about 12.3 MB are needed and "
    assert told.startswith(start)
    assert told.endswith(" MB are free")


def test_errors_of_tensorflow(tmp_path: Path) -> None:
    message = "{{function_node x}} /x/variables.data; No space left on device [Op:SaveV2]\nmore"
    for shown in (message, "No space left on device", "/x/y; No space left on device"):
        told = refuse(OfTensorFlow(shown), tmp_path)
        assert told.startswith(f"cannot write to {tmp_path}: No space left on device; ")
    assert "OfTensorFlow" in refuse(OfTensorFlow(), tmp_path)


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    told = refuse(fail(errno.ENOSPC), tmp_path / "gone")
    assert told == f"cannot write to {tmp_path / 'gone'}: it takes no more"


@pytest.mark.parametrize("error", [FileExistsError(errno.EEXIST, "x"), ValueError("x"), KeyError()])
def test_other_errors_stay_what_they_are(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as caught, writing(tmp_path):
        raise error
    assert caught.value is error


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full after a few bytes of every file of arrays."""

    def write(file: Any, **_: object) -> None:
        file.write(b"half")
        raise fail(errno.ENOSPC)

    monkeypatch.setattr(np, "savez", write)


def test_the_last_checkpoint_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "work" / "network.npz"
    checkpoint = Checkpoint(path, identity={}, resume=True)
    checkpoint.save(make_tracked(1), Course(epoch=1))
    with monkeypatch.context() as full:
        fill(full)
        with pytest.raises(CannotWrite, match=f"^cannot write to {path.parent}: it takes no more"):
            checkpoint.save(make_tracked(2), Course(epoch=2))
    assert list(path.parent.iterdir()) == [path]
    assert checkpoint.restore(make_tracked(), Course()).epoch == 1


def test_an_encoder_and_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(monkeypatch)
    with pytest.raises(CannotWrite, match=r"about 8\.0 MB are needed"):
        save_arrays({"a": np.zeros(1_000_000)}, path=tmp_path / "encoder.npz")

    def refuse_all(_path: Path) -> Any:
        raise fail(errno.EROFS)

    monkeypatch.setattr(atomic, "replace_file", refuse_all)
    with pytest.raises(CannotWrite, match=f"^cannot write to {tmp_path}: "):
        save_json({"a": 1}, path=tmp_path / "plan.json")
    assert list(tmp_path.iterdir()) == []
