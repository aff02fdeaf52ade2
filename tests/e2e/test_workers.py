"""Several processes behind one socket."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.sync.client import connect

from models.versions import Version
from tests.e2e.server import ROOT, Server, running

pytestmark = [pytest.mark.e2e, pytest.mark.tensorflow]


@pytest.fixture
def store(trained: Version, tmp_path: Path) -> Path:
    shutil.copytree(trained.path, tmp_path / "tiny" / "1")
    return tmp_path


def children(pid: int) -> list[int]:
    """Return the worker processes: those that multiprocessing's own server has forked."""
    servers = [child for child in direct_children(pid) if "forkserver" in command(child)]
    return [worker for server in servers for worker in direct_children(server)]


def direct_children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def wait_for(what: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def count(server: Server, line: str) -> float:
    text = server.request_text("/metrics")
    return sum(float(each.split()[-1]) for each in text.splitlines() if each.startswith(line))


def test_workers_share_the_work_and_add_up_what_they_count(store: Path) -> None:
    with running(store, GATEWISE_WORKERS="2", GATEWISE_THREADS="1") as server:
        assert len(children(server.process.pid)) == 2
        for _ in range(40):
            status, answer = server.predict(text="a superb evening")
            assert (status, answer["label"]) == (200, "like")
        assert count(server, "gatewise_texts_total") == 40
        assert count(server, 'gatewise_requests_total{method="POST"') == 40


def test_a_worker_that_dies_is_replaced(store: Path) -> None:
    with running(store, GATEWISE_WORKERS="2", GATEWISE_THREADS="1") as server:
        first = children(server.process.pid)
        os.kill(first[0], signal.SIGKILL)
        wait_for(lambda: len(set(children(server.process.pid)) - set(first)) == 1)
        wait_for(lambda: server.predict(text="a superb evening")[0] == 200)
        assert first[1] in children(server.process.pid)


def test_sigterm_ends_all(store: Path) -> None:
    with running(store, GATEWISE_WORKERS="2", GATEWISE_THREADS="1") as server:
        workers = children(server.process.pid)
        server.terminate()
        assert server.process.wait(timeout=60) == 0
        assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


@pytest.mark.parametrize("pause", [0.0, 0.3, 0.9])
def test_a_sigterm_soon_after_a_death_is_not_lost(store: Path, pause: float) -> None:
    with running(store, GATEWISE_WORKERS="2", GATEWISE_THREADS="1") as server:
        os.kill(children(server.process.pid)[0], signal.SIGKILL)
        time.sleep(pause)
        server.terminate()
        assert server.process.wait(timeout=30) == 0
        with pytest.raises(OSError, match="refused"):
            server.request("GET", "/readyz")


@pytest.mark.slow
def test_readiness_goes_first_also_after_a_death(store: Path) -> None:
    with running(
        store, GATEWISE_WORKERS="2", GATEWISE_THREADS="1", GATEWISE_DRAIN_SECONDS="8"
    ) as server:
        server.wait_until_started(2)  # one that still starts ends at once
        os.kill(children(server.process.pid)[0], signal.SIGKILL)
        server.terminate()
        wait_for(lambda: is_draining(server), seconds=8)
        assert server.predict(text="a superb evening")[0] == 200
        assert server.process.wait(timeout=30) == 0


def is_draining(server: Server) -> bool:
    try:
        return server.request("GET", "/readyz") == (503, {"status": "draining"})
    except ConnectionResetError:  # the worker that is being killed had taken it
        return False


def test_a_killed_worker_leaves_no_streams_behind(store: Path) -> None:
    with running(store, GATEWISE_WORKERS="2", GATEWISE_THREADS="1") as server:
        first = children(server.process.pid)
        with connect(f"ws://127.0.0.1:{server.port}/stream") as socket:
            socket.send('{"text": "superb"}')
            socket.recv()
            assert count(server, "gatewise_streams") == 1
            for worker in first:
                os.kill(worker, signal.SIGKILL)
            wait_for(lambda: not set(first) & set(children(server.process.pid)))
            wait_for(lambda: server.predict(text="a superb evening")[0] == 200)
        assert count(server, "gatewise_streams") == 0
        assert count(server, "gatewise_texts_total") == 2  # what was counted stays


def test_workers_do_not_outlive_who_started_them(store: Path) -> None:
    with running(store, GATEWISE_WORKERS="2", GATEWISE_THREADS="1") as server:
        workers = children(server.process.pid)
        server.process.kill()
        wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_a_port_in_use_is_told_in_a_line(store: Path) -> None:
    with running(store) as server:
        second = subprocess.run(
            [sys.executable, "-m", "service", "--store", store, "--workers", "2"],
            env=os.environ | {"GATEWISE_PORT": str(server.port)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert second.returncode == 2
    assert "Traceback" not in second.stderr
    assert "address already in use; set another --port" in second.stderr
