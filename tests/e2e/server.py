"""Runs the real service in a process of its own."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "service"  # which `python -m` starts
ENVIRONMENT: dict[str, str] = {}  # settings of all servers, unless they have others


class Server:
    """A service process.

    Args:
        store: Its store.
        under: Command that starts it, such as `prlimit`.
        environment: Settings, as environment variables.
    """

    def __init__(self, store: Path, *, under: Sequence[str] = (), **environment: str) -> None:
        environment = ENVIRONMENT | environment
        left_out = ["GATEWISE_"]
        if environment.get("GATEWISE_ENGINE") == "savedmodel":
            left_out.append("COVERAGE_")  # its measuring slows down the start of TensorFlow
        clean = {k: v for k, v in os.environ.items() if not k.startswith(tuple(left_out))}
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*under, sys.executable, "-m", PROGRAM, "--port", "0", "--store", str(store)],
            cwd=ROOT,
            env=clean | {"PYTHONUNBUFFERED": "1"} | environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.log: list[str] = []
        self.port = self._read_port()
        self._drainer = threading.Thread(target=self._drain, daemon=True)
        self._drainer.start()

    def _read_port(self) -> int:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if match := re.search(r"[Rr]unning on http://127\.0\.0\.1:(\d+)", line):
                return int(match[1])
        raise AssertionError("".join(self.log))

    def _drain(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Return status and JSON of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def request_text(self, path: str) -> str:
        """Return the body of an answer."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.read().decode()

    def predict(self, **question: Any) -> tuple[int, Any]:
        """Ask and return status and JSON."""
        return self.request("POST", "/predict", json.dumps(question).encode())

    def wait_until_ready(self, *, seconds: float = 120) -> None:
        """Wait for /readyz, or fail. Four workers import TensorFlow for long on a busy machine."""
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            assert time.monotonic() < deadline, "".join(self.log)
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            return self.request("GET", "/readyz")[0] == 200
        except TimeoutError:  # no worker has taken the connection yet
            return False

    def wait_until_started(self, workers: int, *, seconds: float = 120) -> None:
        """Wait until so many workers take connections, or fail; one is enough for /readyz."""
        deadline = time.monotonic() + seconds
        while sum("Application startup complete" in line for line in self.log) < workers:
            assert time.monotonic() < deadline, "".join(self.log)
            time.sleep(0.02)

    def close_log(self) -> None:
        """Read the log to its end, once the process is gone."""
        assert self.process.stderr is not None
        self._drainer.join(timeout=30)
        self.process.stderr.close()

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)


@contextmanager
def running(store: Path, *, under: Sequence[str] = (), **environment: str) -> Iterator[Server]:
    """Give a service that is ready, and end it afterwards."""
    server = Server(store, under=under, **environment)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.terminate()
        try:
            server.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
        server.close_log()
