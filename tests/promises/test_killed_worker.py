"""A worker that is killed under load takes only its own requests with it, and no metric lies on."""

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from service.web.workers import SETTLED_SECONDS
from tests.e2e.server import ROOT, Server, running
from tests.e2e.test_workers import children
from tests.effort import Effort
from tests.promises.processes import alive, parent_of

WORKERS = 3
CLIENTS = 6
STREAMS = 8
BODY = json.dumps({"text": "an unforgettable film, " * 40})
REPLACED_SECONDS = 30.0  # 5 on a machine that has nothing else to do


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    settings = {"GATEWISE_MODEL": "imdb-gru", "GATEWISE_WORKERS": str(WORKERS)}
    settings |= {"GATEWISE_THREADS": "1", "GATEWISE_LOG": "json"}
    with running(ROOT / "models" / "store", **settings) as server:
        server.wait_until_started(WORKERS)
        yield server


class Client:
    """Asks on one connection, and on another when that is cut."""

    def __init__(self, port: int) -> None:
        self.answered = 0
        self.refused: list[int] = []  # statuses
        self.cuts: list[float] = []  # when
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        connection = self._connect()
        while not self._over.is_set():
            try:
                connection.request("POST", "/predict", BODY, {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.cuts.append(time.monotonic())
                connection.close()
                connection = self._connect()
                continue
            self.answered += 1
            if answer.status != 200:
                self.refused.append(answer.status)
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)


def wait_for(what: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def read_metrics(server: Server) -> dict[str, float]:
    """Return the values of all series."""
    lines = server.request_text("/metrics").splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    }


def is_open(stream: ClientConnection) -> bool:
    """Whether a stream still answers."""
    try:
        stream.send('{"text": "good "}')
        return "prediction" in json.loads(stream.recv())
    except (ConnectionClosed, OSError):
        return False


def is_true(server: Server, *, streams: int) -> bool:
    """Whether the gauges say what there is, while nothing but the question is under way."""
    found = read_metrics(server)
    loaded = {value for name, value in found.items() if name.startswith("gatewise_version_loaded")}
    told = (
        found["gatewise_streams"],
        found["gatewise_requests_in_flight"],
        found["gatewise_backlog_tokens"],
        found["gatewise_backlog_seconds"],
        found["gatewise_processes"],
        found["gatewise_compute_threads"],
        found["gatewise_ready"],
    )
    return told == (streams, 1, 0, 0, WORKERS, WORKERS, 1) and loaded == {WORKERS}


def test_a_killed_worker_loses_its_own_requests_only(server: Server, effort: Effort) -> None:
    for round in range(effort(short=2, long=50)):
        time.sleep(effort(short=0, long=1) * SETTLED_SECONDS)  # one that died early is waited for
        kill_one(server, killed_before=round)


def kill_one(server: Server, *, killed_before: int) -> None:
    """Kill a worker under load with streams open, and look at what that did."""
    with ExitStack() as stack:
        streams = [
            stack.enter_context(connect(f"ws://127.0.0.1:{server.port}/stream", open_timeout=60))
            for _ in range(STREAMS)
        ]
        assert all(map(is_open, streams))
        clients = [Client(server.port) for _ in range(CLIENTS)]
        try:
            wait_for(lambda: all(client.answered > 3 for client in clients), seconds=60)
            before = children(server.process.pid)
            killed = before[killed_before % WORKERS]
            os.kill(killed, signal.SIGKILL)
            wait_for(
                lambda: len(set(children(server.process.pid)) - {killed}) == WORKERS,
                seconds=REPLACED_SECONDS,
            )
            answered = [client.answered for client in clients]
            wait_for(
                lambda: all(c.answered > n + 3 for c, n in zip(clients, answered, strict=True)),
                seconds=60,
            )
        finally:
            for client in clients:
                client.end()
        # Each had one request under way at most, on one connection to one worker.
        assert all(len(client.cuts) <= 1 for client in clients)
        assert [client.refused for client in clients] == [[]] * CLIENTS
        left = [stream for stream in streams if is_open(stream)]
        wait_for(lambda: is_true(server, streams=len(left)), seconds=REPLACED_SECONDS)
        assert read_metrics(server)["gatewise_worker_deaths_total"] == killed_before + 1
        assert all(map(is_open, left))
    wait_for(lambda: is_true(server, streams=0), seconds=REPLACED_SECONDS)


def test_what_forks_workers_may_be_killed_too() -> None:
    """As when memory is short: those that it had forked answer on, and are watched as before."""
    settings = {"GATEWISE_MODEL": "imdb-gru", "GATEWISE_WORKERS": str(WORKERS)}
    with running(ROOT / "models" / "store", **settings, GATEWISE_THREADS="1") as server:
        server.wait_until_started(WORKERS)
        workers = children(server.process.pid)
        clients = [Client(server.port) for _ in range(CLIENTS)]
        try:
            (fork_server,) = {parent_of(worker) for worker in workers}
            os.kill(fork_server, signal.SIGKILL)
            time.sleep(1)  # in which it could be missed
            assert [client.cuts for client in clients] == [[]] * CLIENTS
            assert all(map(alive, workers))
            os.kill(workers[0], signal.SIGKILL)
            wait_for(lambda: len(children(server.process.pid)) == 1, seconds=REPLACED_SECONDS)
        finally:
            for client in clients:
                client.end()
        assert all(len(client.cuts) <= 1 for client in clients)
        wait_for(lambda: is_true(server, streams=0), seconds=REPLACED_SECONDS)
        assert read_metrics(server)["gatewise_worker_deaths_total"] == 1
        server.terminate()
        assert server.process.wait(timeout=30) == 0
        assert not any(map(alive, workers))


@pytest.mark.tensorless(reason="TensorFlow writes lines of its own")
def test_all_that_its_processes_log_are_objects(server: Server) -> None:
    os.kill(children(server.process.pid)[0], signal.SIGKILL)
    wait_for(lambda: any("SIGKILL" in line for line in server.log), seconds=REPLACED_SECONDS)
    records = [json.loads(line) for line in server.log]
    told = [record["message"] for record in records if record["level"] == "error"]
    assert told
    assert all("was ended by SIGKILL" in message for message in told)
