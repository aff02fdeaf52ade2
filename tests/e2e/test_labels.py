"""A label that moves takes the traffic with it, soon and without a failed request."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from models.registry import Store
from models.versions import Version
from tests.e2e.server import ROOT, Server, running
from tests.e2e.threads import Threads

SOON = 2.0  # seconds, as the docs promise; the pause between two looks is one of them
SHIPPED = Store(ROOT / "models" / "store")


def publish_again(store: Store) -> Version:
    """Publish a shipped version under the next number."""
    shipped = SHIPPED.resolve("imdb-lstm")
    with store.staging("imdb-lstm") as folder:
        subprocess.run(["cp", "-r", f"{shipped.path}/.", folder], check=True)
        return store.publish(folder, metadata=shipped.metadata)


def steer(store: Store, *arguments: str) -> None:
    """Run a command of `python -m models`, as an operator does."""
    command = [sys.executable, "-m", "models", *arguments, "--store", str(store.root)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


class Clients(Threads):
    """Ask without a pause, and keep what was answered, and when."""

    def __init__(self, server: Server, *, count: int = 2) -> None:
        self.answers: list[tuple[float, int, Any]] = []
        self._server = server
        super().__init__(*[self._ask] * count)

    def _ask(self) -> None:
        while not self.over.is_set():
            asked = time.monotonic()
            status, answer = self._server.predict(text="a good film", model="imdb-lstm")
            self.answers.append((asked, status, answer.get("version", answer)))

    def wait_for(self, version: int) -> float:
        """Return the seconds until all answers are those of a version."""
        started = time.monotonic()
        while time.monotonic() - started < 30:
            time.sleep(0.05)
            if {each[2] for each in self.answers[-20:]} == {version}:
                return time.monotonic() - started
        raise AssertionError(f"version {version} does not answer: {self.answers[-5:]}")


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_traffic_follows_labels_without_a_failed_request(workers: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _ in range(2):
        publish_again(store)
    steer(store, "label", "imdb-lstm:1", "stable")
    with running(tmp_path, GATEWISE_WORKERS=workers) as server, Clients(server) as clients:
        clients.wait_for(1)
        publish_again(store)
        steer(store, "label", "imdb-lstm:3", "canary")
        time.sleep(SOON)
        assert {each[2] for each in clients.answers} == {1}  # a label of another name moves nothing
        assert server.predict(text="a good film", model="imdb-lstm:canary")[1]["version"] == 3
        steer(store, "promote", "imdb-lstm")
        clients.wait_for(3)
        steer(store, "rollback", "imdb-lstm")
        seconds = clients.wait_for(1)
    assert {status for _, status, _ in clients.answers} == {200}
    assert {version for _, _, version in clients.answers} == {1, 3}
    assert seconds < 10 * SOON  # a busy machine is no fault; the benchmarks measure
