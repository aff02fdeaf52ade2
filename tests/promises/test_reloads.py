"""Versions come and labels move under load: nothing fails, and nothing is left in memory."""

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.registry import Store
from models.steering import give_label
from models.versions import Version
from tests.e2e.server import Server, running
from tests.effort import Effort
from tests.promises.clients import Load, Request
from tests.promises.publishing import publish_again

pytestmark = pytest.mark.e2e
NAME = "imdb-gru"
SHIPPED = Version(Path(__file__).resolve().parents[2] / "models/store" / NAME / "1")
TEXTS = ["a good film", "The film is not bad at all. " * 300, "it was boring"]
FOLLOWS = 2.0  # seconds in which a service follows a label, on a machine with nothing else to do
PATIENCE = 60.0  # seconds, for one that has


@dataclass
class Turn:
    """A version that was to answer: when that was asked for, and when it was first seen to."""

    version: int
    asked: float
    seen: float = float("inf")


@dataclass
class History:
    """The versions that were to answer, in turn, on the clock `time.monotonic`."""

    turns: list[Turn] = field(default_factory=list)

    def was_live(self, version: int, request: Request) -> bool:
        """Whether a version may answer a request: it was asked for, and no later one was seen."""
        ends = [turn.seen for turn in self.turns[1:]] + [float("inf")]
        return any(
            turn.asked <= request.ended and request.began <= end
            for turn, end in zip(self.turns, ends, strict=True)
            if turn.version == version
        )


def answering(server: Server) -> int:
    status, said = server.predict(text="a good film")
    assert status == 200, said
    number: int = said["version"]
    return number


def follow(server: Server, turn: Turn) -> None:
    """Wait until the version answers."""
    deadline = time.monotonic() + PATIENCE
    while answering(server) != turn.version:
        assert time.monotonic() < deadline, f"version {turn.version} does not answer yet"
        time.sleep(0.05)
    turn.seen = time.monotonic()


def private_memory(server: Server) -> float:
    """Return the MB that are the process's own, without what is mapped from files."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("engine", ["native", "onnx"])
def test_reloads_and_moves_of_labels_under_load(
    engine: str, tmp_path: Path, effort: Effort, capsys: pytest.CaptureFixture[str]
) -> None:
    store, history = Store(tmp_path), History()
    memory: list[float] = []
    times = effort(short=2, long=100)
    history.turns.append(Turn(publish_again(store, SHIPPED).number, 0.0))
    with (
        running(store.root, GATEWISE_ENGINE=engine, GATEWISE_DEADLINE_MS="60000") as server,
        Load(server.port, TEXTS, clients=2) as load,
    ):
        for _ in range(times):
            reload(server, store, history)
            memory.append(private_memory(server))
        for _ in range(times):
            move_label(server, store, history)
            memory.append(private_memory(server))
    follows = sorted(turn.seen - turn.asked for turn in history.turns[-times:])
    with capsys.disabled():
        sys.stdout.write(
            f"\n{engine}, {len(load.requests)} requests: {describe(memory)}; "
            f"labels are followed in {follows[times // 2]:.1f} s, at most {follows[-1]:.1f} s\n"
        )
    assert follows[times // 2] < effort(short=PATIENCE, long=FOLLOWS)
    failed = [each for each in load.requests if each.status != 200]
    assert not failed, f"{len(failed)} of {len(load.requests)} failed: {failed[0]}"
    for request in load.requests:
        assert history.was_live(json.loads(request.body)["version"], request), request
    require_flat(memory, room=effort(short=60, long=15))


def reload(server: Server, store: Store, history: History) -> None:
    """Publish the shipped version once more, and wait until it answers."""
    asked = time.monotonic()
    turn = Turn(publish_again(store, SHIPPED).number, asked)
    history.turns.append(turn)
    follow(server, turn)
    store.prune(NAME, keep=2)


def move_label(server: Server, store: Store, history: History) -> None:
    """Give `stable` to the other of the two versions that are there."""
    now = history.turns[-1].version
    (other,) = [each for each in store.versions(NAME) if each.number != now]
    asked = time.monotonic()
    give_label(store, other, "stable")
    turn = Turn(other.number, asked)
    history.turns.append(turn)
    follow(server, turn)


def describe(memory: list[float]) -> str:
    """Say the most memory in each quarter of the run."""
    quarter = max(1, len(memory) // 4)
    most = [max(memory[at : at + quarter]) for at in range(0, len(memory), quarter)]
    return ", ".join(f"{figure:.0f} MB" for figure in most)


def require_flat(memory: list[float], *, room: float) -> None:
    """Check that the last half needs no more MB than the first, but for what noise explains."""
    half = len(memory) // 2
    first, last = max(memory[:half]), max(memory[half:])
    assert last < first + room, memory
