"""Sends the same request to the services of both checkouts at the same time."""

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from websockets.sync.client import ClientConnection, connect

from benchmarks.sameness.checkout import Checkout, Pair
from benchmarks.sameness.report import MOST_SHOWN, Difference, Report, list_differences

Result = TypeVar("Result")
START_SECONDS = 300
STOP_SECONDS = 30
LAST_DIGITS = 2.01e-7  # two units of the last of the seven digits of an answer
JSON = {"content-type": "application/json"}
# A slice of a text is as long as a measured cost allows, and the last digit of a probability
# depends on where a text is cut. With a clock that always measures the same, no digit differs.
FIXED_CLOCK = """\
import threading
import time

_thread = threading.local()


def _tick():
    _thread.ticks = getattr(_thread, "ticks", 0) + 1
    return _thread.ticks * 1e-6


time.perf_counter = _tick
time.perf_counter_ns = lambda: round(_tick() * 1e9)
"""
VOLATILE = {"date", "x-request-id", "server-timing", "last-modified", "etag"}
TIMING = "server-timing"


@dataclass(frozen=True)
class Answer:
    """The answer to a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Server:
    """The service of one checkout, in a process of its own.

    Args:
        checkout: The checkout whose service runs.
        log: File for its output.
        variables: Its settings.
    """

    def __init__(self, checkout: Checkout, log: Path, variables: Mapping[str, str]) -> None:
        self.checkout, self.port, self._log = checkout, _free_port(), log
        self._process: subprocess.Popen[bytes] = checkout.start(
            "-m", "service", f"--port={self.port}", log=log, **variables
        )
        self._connection = self.connect()

    def connect(self) -> http.client.HTTPConnection:
        """Return a new connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def wait(self) -> None:
        """Wait until it is ready."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if self.request("GET", "/readyz").status == 200:
                    return
            except OSError:
                self._connection.close()
            time.sleep(0.1)
        raise RuntimeError(f"{self.checkout.side} is not ready\n{self._log.read_text()[-3000:]}")

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = JSON
    ) -> Answer:
        """Return the answer to a request, on the one connection that is kept open."""
        return exchange(self._connection, method, path, body, headers)

    def stop(self) -> None:
        """End it."""
        self._connection.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Servers:
    """The services of both checkouts.

    Args:
        before: Service of the first checkout.
        after: Service of the second checkout.
        report: Of what is the same.
    """

    def __init__(self, before: Server, after: Server, report: Report) -> None:
        self.before, self.after, self.report = before, after, report
        self._pool = ThreadPoolExecutor(2)

    def both(self, act: Callable[[Server], Result]) -> tuple[Result, Result]:
        """Call a function for both services at the same time; return both results."""
        before, after = self._pool.map(act, (self.before, self.after))
        return before, after

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = JSON
    ) -> tuple[Answer, Answer]:
        """Return both answers to a request."""
        return self.both(lambda server: server.request(method, path, body, headers))

    def same_answer(self, path: str, question: Mapping[str, Any]) -> Any:
        """POST a request to both; return the JSON of the answer, whose bytes must be the same."""
        before, after = self.ask("POST", path, json.dumps(question).encode())
        what = f"POST {path} {_shorten(question)}"
        self.require_same(what, before, after)
        if before.status != 200:
            raise Difference(f"{what}: both answer {before.status}\n{before.body.decode()}")
        return json.loads(before.body)

    def nearly_same_answer(self, path: str, question: Mapping[str, Any]) -> bool:
        """POST a request; return whether the bytes are the same. Only last digits may differ."""
        before, after = self.ask("POST", path, json.dumps(question).encode())
        what = f"POST {path} {_shorten(question)}"
        self.report.require(f"{what}: status", before.status, after.status)
        self.require_same_names(what, before, after)
        found = [json.loads(answer.body) for answer in (before, after)]
        if places := list_differences(*found, tolerance=LAST_DIGITS):
            raise Difference("\n".join([f"{what}:", *places]))
        return before.body == after.body

    def require_same(self, what: str, before: Answer, after: Answer) -> None:
        """Raise Difference unless two answers have the same status, bytes and headers."""
        self.report.require(f"{what}: status", before.status, after.status)
        if before.body != after.body:
            raise Difference("\n".join([f"{what}: other bytes", *_compare_bodies(before, after)]))
        self.require_same_names(what, before, after)
        self.report.require(f"{what}: headers", _lasting(before), _lasting(after))

    def require_same_names(self, what: str, before: Answer, after: Answer) -> None:
        """Raise Difference unless the names of the headers are the same.

        `Server-Timing` may be new: it holds only times.
        """
        names = set(after.headers)
        if TIMING in names and TIMING not in before.headers:
            self.report.note("answers with a Server-Timing that had none before")
            names.remove(TIMING)
        self.report.require(f"{what}: names of headers", sorted(before.headers), sorted(names))

    @contextmanager
    def sockets(self) -> Iterator[tuple[ClientConnection, ClientConnection]]:
        """Give a WebSocket to each service."""
        with ExitStack() as stack:
            ports = (self.before.port, self.after.port)
            uris = [f"ws://127.0.0.1:{port}/stream" for port in ports]
            before, after = (stack.enter_context(connect(uri, max_size=None)) for uri in uris)
            yield before, after

    def exchange_messages(
        self, sockets: tuple[ClientConnection, ClientConnection], message: str | bytes
    ) -> tuple[str, str]:
        """Return the answers to a message on the WebSockets of both."""

        def say(socket: ClientConnection) -> str:
            socket.send(message)
            return str(socket.recv(timeout=600))

        before, after = self._pool.map(say, sockets)
        return before, after


@contextmanager
def serving(
    pair: Pair, report: Report, *, model: str, engine: str = "onnx", timed: bool = False
) -> Iterator[Servers]:
    """Give the services of both checkouts, one computing thread each, and end them afterwards.

    Args:
        pair: The checkouts.
        report: Of what is the same.
        model: Model of requests that name none.
        engine: Engine that computes.
        timed: Whether clocks run as usual, and streams are signed with a secret. Otherwise a clock
            always measures the same, so the slices of a text are the same.
    """
    folder = pair.folder(f"serve-{model}-{engine}-{timed}")
    (folder / "sitecustomize.py").write_text(FIXED_CLOCK)
    variables = {"GATEWISE_MODEL": model, "GATEWISE_ENGINE": engine, "GATEWISE_THREADS": "1"}
    variables |= {"GATEWISE_DEADLINE_MS": "600000"}  # so that no answer depends on the load
    variables |= {"GATEWISE_STREAM_SECRET": "shared"} if timed else {"PYTHONPATH": str(folder)}
    started: list[Server] = []
    try:
        for checkout in (pair.before, pair.after):
            started.append(Server(checkout, folder / f"{checkout.side}.log", variables))
        for server in started:
            server.wait()
        before, after = started
        yield Servers(before, after, report)
    finally:
        for server in started:
            server.stop()


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
) -> Answer:
    """Return the answer to a request on a connection. Open it again if it was closed."""
    try:
        connection.request(method, path, body, dict(headers))
        found = connection.getresponse()
    except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
        connection.close()
        connection.request(method, path, body, dict(headers))
        found = connection.getresponse()
    content = found.read()
    return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, content)


def _compare_bodies(before: Answer, after: Answer) -> list[str]:
    """Return the places in which two bodies differ, as members of their JSON if they are JSON."""
    try:
        found = [json.loads(answer.body) for answer in (before, after)]
    except ValueError:
        found = [before.body, after.body]
    # The same JSON may be written in other bytes.
    places = list_differences(*found) or list_differences(before.body, after.body)
    return places[:MOST_SHOWN]


def _lasting(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in VOLATILE}


def _shorten(question: Mapping[str, Any]) -> str:
    shown = json.dumps(question)
    return shown if len(shown) <= 300 else f"{shown[:200]} … {shown[-100:]}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
