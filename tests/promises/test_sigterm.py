"""A SIGTERM at any moment of a service's life ends it in time, and loses nothing it accepted."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from models.versions import Version
from tests.e2e.server import Server
from tests.effort import Effort
from tests.promises.clients import Load, Request, ask
from tests.promises.hostile.small_version import publish_small
from tests.promises.processes import alive, children_of, members_of

pytestmark = pytest.mark.e2e
DRAIN = 0.5  # seconds
TEXTS = ["a good film", "not bad! " * 20_000, "the films " * 2_000]  # some are read for a while


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return publish_small(tmp_path_factory.mktemp("small"))


class Life:
    """A service whose life is disturbed before it is told to end.

    Args:
        small: The version in its store.
        store: Its store.
        workers: Its processes that answer.
        draw: Decides the moments.
    """

    def __init__(self, small: Version, store: Path, *, workers: int, draw: random.Random) -> None:
        self.store, self.draw, self._workers = store, draw, workers
        shutil.copytree(small.path, store / "toy/1")
        self.killed: float | None = None
        self.lasted = 0.0  # seconds from the signal to the end
        self.server = Server(
            store,
            GATEWISE_WORKERS=str(workers),
            GATEWISE_THREADS="1",
            GATEWISE_DRAIN_SECONDS=str(DRAIN),
            GATEWISE_DEADLINE_MS="60000",
            GATEWISE_MAX_CHARS="1000000",
            GATEWISE_POLL_SECONDS="0.2",
        )

    def start(self) -> None:
        """Any moment of the start."""
        self.pause(2.0)

    def load(self) -> None:
        """Any moment of ordinary work."""
        self.server.wait_until_ready()
        self.pause(0.5)

    def reload(self) -> None:
        """Any moment of a new version's arrival."""
        self.server.wait_until_ready()
        shutil.copytree(self.store / "toy/1", self.store / "toy/.new")
        (self.store / "toy/.new").rename(self.store / "toy/2")
        self.pause(0.5)

    def crash(self) -> None:
        """Any moment after a worker was killed: it is missed, replaced, and the other starts."""
        self.server.wait_until_ready()
        if self._workers > 1:
            servers = children_of(self.server.process.pid)
            working = [each for server in servers for each in children_of(server)]
            self.killed = time.monotonic()
            os.kill(self.draw.choice(working), signal.SIGKILL)
        self.pause(1.5)

    def twice(self) -> None:
        """Any moment of the drain: the second signal ends it."""
        self.server.wait_until_ready()
        self.server.terminate()
        self.pause(DRAIN)

    def pause(self, seconds: float) -> None:
        time.sleep(self.draw.uniform(0, seconds))

    def lost(self, requests: list[Request]) -> list[Request]:
        """Return what was accepted and not answered, apart from what a killed worker had."""
        return [each for each in requests if each.lost and not self._was_killed(each)]

    def _was_killed(self, request: Request) -> bool:
        return self.killed is not None and request.began <= self.killed <= request.ended


MOMENTS: list[Callable[[Life], None]] = [
    Life.start,
    Life.load,
    Life.reload,
    Life.crash,
    Life.twice,
]


@pytest.mark.tensorless(reason="the small version has no SavedModel")
def test_a_sigterm_at_any_moment(small: Version, tmp_path: Path, effort: Effort) -> None:
    for number in range(effort(short=6, long=200)):
        moment = MOMENTS[number % len(MOMENTS)]
        life = Life(
            small,
            tmp_path / str(number),
            workers=1 + number % 2,  # there is an odd number of moments
            draw=random.Random(number),
        )
        try:
            end(life, moment, within=DRAIN + effort(short=30, long=5))
        except AssertionError as error:
            said = "".join(life.server.log[-12:])
            raise AssertionError(f"{number}, {moment.__name__}: {error}\n{said}") from error
        finally:
            give_up(life)


@pytest.mark.tensorless(reason="the small version has no SavedModel")
def test_a_sigterm_to_all_processes(small: Version, tmp_path: Path, effort: Effort) -> None:
    """As systemd sends it to a service, or a shell Ctrl-C: it counts once for each process."""
    for number in range(effort(short=1, long=20)):
        life = Life(small, tmp_path / str(number), workers=2, draw=random.Random(number))
        try:
            life.server.wait_until_started(2)  # a worker that still starts ends at once
            end(life, Life.load, within=DRAIN + effort(short=30, long=5), at_all=True)
            assert life.lasted >= DRAIN
        finally:
            give_up(life)


def end(life: Life, moment: Callable[[Life], None], *, within: float, at_all: bool = False) -> None:
    """Disturb a service under load, tell it to end, and look at what it leaves.

    Args:
        life: The service.
        moment: Disturbs it.
        within: Seconds in which it has to end.
        at_all: Whether each of its processes is told.
    """
    process = life.server.process
    with Load(life.server.port, TEXTS) as load:
        moment(life)
        tell = os.killpg if at_all else os.kill
        tell(process.pid, signal.SIGTERM)
        told = time.monotonic()
        while process.poll() is None:
            assert time.monotonic() - told < within, "it has not ended"
            time.sleep(0.01)
        life.lasted = time.monotonic() - told
    assert process.returncode in (0, -signal.SIGTERM), process.returncode
    lost = life.lost(load.requests)
    assert not lost, f"{len(lost)} of {len(load.requests)} were lost: {lost[0]}"
    later = ask(life.server.port, {"text": "a good film"})
    assert not later.accepted, "somebody still answers"
    assert "refused" in later.fault, later
    deadline = time.monotonic() + 10
    while left := members_of(process.pid):
        assert time.monotonic() < deadline, f"{left} are left"
        time.sleep(0.05)


def give_up(life: Life) -> None:
    """Leave nothing behind, whatever went wrong."""
    for each in members_of(life.server.process.pid):
        if alive(each):
            os.kill(each, signal.SIGKILL)
    life.server.process.wait()
    life.server.close_log()
