"""A checkpoint is whole at any moment, and only the training that wrote it goes on from it."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.atomic import unfinished_file
from tests.training.loader import ROOT, uncovered_environment
from training.errors import TrainingError
from training.workspace import checkpoint as module
from training.workspace.checkpoint import Checkpoint

IDENTITY = {"units": 8, "learning_rate": 2e-3, "epochs": None, "train": "ab" * 32}


@dataclass
class Course:
    epoch: int = 0
    score: float = -np.inf
    history: list[dict[str, float]] = field(default_factory=list)


class Variable:
    """What a checkpoint needs of a variable."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)

    def numpy(self) -> np.ndarray:
        return self.value

    def assign(self, value: np.ndarray) -> None:
        if np.shape(value) != self.value.shape:
            raise ValueError(f"{np.shape(value)} is not {self.value.shape}")
        self.value = value


def make_tracked(value: float = 0.0) -> dict[str, list[Variable]]:
    return {
        "network": [Variable(np.full((3, 2), value, np.float32)), Variable(np.uint32(value))],
        "optimizer": [Variable(np.int64(value))],
        "best": [],
    }


def make_checkpoint(path: Path, *, resume: bool = True, **changes: Any) -> Checkpoint:
    return Checkpoint(path, identity=IDENTITY | changes, resume=resume)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "work" / "checkpoint.npz"


def assert_holds(path: Path, *, epoch: int) -> None:
    """Assert that the checkpoint of that epoch is there, with all that belongs to it."""
    tracked = make_tracked()
    assert make_checkpoint(path).restore(tracked, Course()).epoch == epoch
    for group, variables in make_tracked(epoch).items():
        for variable, expected in zip(tracked[group], variables, strict=True):
            np.testing.assert_array_equal(variable.value, expected.value)
            assert variable.value.dtype == expected.value.dtype


def refusal(path: Path, **changes: Any) -> str:
    tracked = make_tracked(7)
    with pytest.raises(TrainingError) as caught:
        make_checkpoint(path, **changes).restore(tracked, Course())
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path} is ")
    return message


def test_what_was_saved_is_restored(path: Path) -> None:
    course = Course(epoch=3, score=0.1 + 0.2, history=[{"loss": 1 / 3}, {"loss": float("inf")}])
    make_checkpoint(path).save(make_tracked(3), course)
    assert_holds(path, epoch=3)
    assert make_checkpoint(path).restore(make_tracked(), Course()) == course


def test_nothing_is_restored_unless_it_is_asked_for(path: Path) -> None:
    make_checkpoint(path).save(make_tracked(3), Course(epoch=3))
    tracked = make_tracked()
    assert make_checkpoint(path, resume=False).restore(tracked, Course()) == Course()
    assert not tracked["network"][0].value.any()


def test_without_a_file_a_fit_starts_at_the_beginning(path: Path) -> None:
    assert make_checkpoint(path).restore(make_tracked(), Course()) == Course()
    make_checkpoint(path).delete()
    assert not path.parent.exists()


def test_deleted(path: Path) -> None:
    checkpoint = make_checkpoint(path)
    checkpoint.save(make_tracked(), Course())
    assert [entry.name for entry in path.parent.iterdir()] == ["checkpoint.npz"]
    checkpoint.delete()
    assert list(path.parent.iterdir()) == []


def test_due_after_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    checkpoint = make_checkpoint(path)
    assert not checkpoint.is_due()
    now += module.SECONDS_BETWEEN
    assert checkpoint.is_due()
    checkpoint.save(make_tracked(), Course())
    assert not checkpoint.is_due()


class TestKilled:
    """A process killed while it saves leaves the checkpoint before."""

    SAVE = """
import os, signal, sys
from pathlib import Path
from tests.training.workspace import test_checkpoint as tests

def die(*_): os.kill(os.getpid(), signal.SIGKILL)

setattr(os, sys.argv[2], die)
checkpoint = tests.make_checkpoint(Path(sys.argv[1]))
checkpoint.save(tests.make_tracked(2), tests.Course(epoch=2))
"""

    @pytest.mark.medium
    @pytest.mark.parametrize("moment", ["fsync", "replace"])
    def test_the_one_before_stays(self, moment: str, path: Path) -> None:
        make_checkpoint(path).save(make_tracked(1), Course(epoch=1))
        before = path.read_bytes()
        command = [sys.executable, "-c", self.SAVE, str(path), moment]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=uncovered_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (-9, "")
        assert path.read_bytes() == before
        # What is left over of the second is in nobody's way.
        assert len(list(path.parent.iterdir())) == 2
        assert_holds(path, epoch=1)
        make_checkpoint(path).save(make_tracked(3), Course(epoch=3))
        assert_holds(path, epoch=3)
        assert len(list(path.parent.iterdir())) == 1

    def test_before_the_first_is_whole(self, path: Path) -> None:
        path.parent.mkdir()
        with unfinished_file(path.parent) as unfinished:
            left = unfinished
        left.write_bytes(b"PK\3\4 half a file")
        assert make_checkpoint(path).restore(make_tracked(), Course()) == Course()
        make_checkpoint(path).save(make_tracked(1), Course(epoch=1))
        assert_holds(path, epoch=1)
        assert list(path.parent.iterdir()) == [path]


class TestRefusal:
    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"units": 16}, "units was 8 and is 16"),
            ({"epochs": 5}, "epochs was None and is 5"),
            ({"train": "cd"}, f"train was {'ab' * 32!r} and is 'cd'"),
            ({"dropout": 0.5}, "dropout was None and is 0.5"),
            ({"units": 16, "epochs": 5}, "epochs was None and is 5, units was 8 and is 16"),
        ],
    )
    def test_of_another_training(self, changes: dict, told: str, path: Path) -> None:
        make_checkpoint(path).save(make_tracked(1), Course(epoch=1))
        assert refusal(path, **changes) == (
            f"{path} is of another training: {told}; "
            "give the same options, or train without --resume"
        )

    @pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\3\4 half a file"])
    def test_of_another_file(self, content: bytes, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(content)
        assert refusal(path).endswith("; delete it, or train without --resume")

    @pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
    def test_of_a_file_cut_short(self, share: float, path: Path) -> None:
        make_checkpoint(path).save(make_tracked(1), Course(epoch=1))
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        assert "is no checkpoint of this training" in refusal(path)

    def test_of_a_flipped_bit(self, path: Path) -> None:
        make_checkpoint(path).save(make_tracked(1), Course(epoch=1))
        content = bytearray(path.read_bytes())
        content[content.index(np.full(6, 1, np.float32).tobytes())] ^= 1
        path.write_bytes(content)
        assert "is no checkpoint of this training" in refusal(path)

    @pytest.mark.parametrize("shapes", [{"network": [(3, 2), (), (1,)]}, {"network": [(2, 3)]}])
    def test_of_other_variables(self, shapes: dict, path: Path) -> None:
        make_checkpoint(path).save(make_tracked(1), Course(epoch=1))
        tracked = {
            group: [Variable(np.zeros(shape, np.float32)) for shape in each]
            for group, each in shapes.items()
        }
        with pytest.raises(TrainingError, match="is no checkpoint of this training"):
            make_checkpoint(path).restore(tracked, Course())

    def test_of_another_course(self, path: Path) -> None:
        @dataclass
        class OldCourse:
            steps: int = 0

        make_checkpoint(path).save(make_tracked(1), OldCourse())
        assert "is no checkpoint of this training" in refusal(path)
