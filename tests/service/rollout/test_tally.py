"""What the workers of a service count is added up, also after one was killed."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.version_labels import Verdict
from service.metrics import DIRECTORY
from service.rollout import tally as counting
from service.rollout.tally import Tally, keep_tallies

ROOT = Path(__file__).resolve().parents[3]
COUNT = """
import sys
from service.rollout.tally import Tally
tally = Tally("key")
for _ in range(3):
    tally.add("requests")
    tally.add("stable_scores", bin=9)
print("counted", flush=True)
sys.stdin.read()
"""
VERDICT = Verdict(
    label="canary",
    version=2,
    stable=1,
    outcome="rolled_back",
    at=datetime(2026, 1, 2, tzinfo=UTC),
    why="it flips",
)


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DIRECTORY, str(tmp_path))
    return tmp_path


def test_a_process_alone_counts_in_memory() -> None:
    tally = Tally("key")
    tally.add("requests")
    tally.add("flips", 0.5)
    assert (tally.total().requests, tally.total().flips) == (1, 0.5)
    assert Tally("key").total().requests == 0
    assert tally.verdict is None
    assert tally.decide(VERDICT)
    assert tally.verdict == VERDICT


@pytest.mark.e2e
def test_what_a_killed_worker_has_counted_stays(shared: Path) -> None:
    own = Tally("key")
    own.add("requests")
    environment = os.environ | {DIRECTORY: str(shared)}
    with subprocess.Popen(
        [sys.executable, "-c", COUNT],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "counted\n"
        assert own.total().requests == 4
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert own.total().requests == 4
    for dead in (worker.pid, worker.pid, 999_999_999):
        keep_tallies(dead)
        assert own.total().requests == 4
        assert own.total().stable_scores[9] == 3
    names = {path.name for path in shared.rglob("*.counts")}
    assert names == {f"{os.getpid()}.counts", "dead.counts"}
    assert Tally("other").total().requests == 0


def test_a_worker_with_the_number_of_a_dead_one_goes_on_with_its_counts(shared: Path) -> None:
    for _ in range(2):
        Tally("key").add("requests")
    assert Tally("key").total().requests == 2


def test_the_first_verdict_holds_for_all(shared: Path) -> None:
    one, other = Tally("key"), Tally("key")
    assert one.verdict is other.verdict is None
    assert one.decide(VERDICT)
    promoted = VERDICT.model_copy(update={"outcome": "promoted"})
    assert not other.decide(promoted)
    assert one.verdict == other.verdict == Tally("key").verdict == VERDICT
    assert [path.name for path in shared.rglob("verdict*")] == ["verdict.json"]
    assert not list(shared.rglob("*.part"))


@pytest.mark.parametrize("broken", ["posix_fallocate", "link"])
def test_a_full_disk_stops_no_worker(
    broken: str, shared: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(counting.os, broken, fail)
    tally = Tally("key")
    tally.add("requests")
    assert tally.total().requests == 1
    assert tally.decide(VERDICT)
    assert tally.verdict == VERDICT
    assert "No space left on device" in caplog.text


def test_a_folder_that_cannot_be_made_stops_no_worker(
    shared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (shared / "trials").write_text("in the way")
    tally = Tally("key")
    tally.add("requests")
    assert tally.total().requests == 1
    assert "cannot count together" in caplog.text
