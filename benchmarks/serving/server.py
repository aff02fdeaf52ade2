"""Starts a contestant on a core of its own, and measures all its processes."""

import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.memory import megabytes
from benchmarks.serving.contestants.names import VERSION
from benchmarks.serving.environments import make_environment
from benchmarks.serving.lineup import Contestant
from benchmarks.serving.place import Place

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 180.0  # seconds until it must be ready
REST_PATIENCE = 12.0  # seconds until all requests must have left it
REST_SECONDS = 0.5
REST_SHARE = 0.2  # of a core: Ray's processes never rest entirely


class Server:
    """A running contestant.

    Args:
        contestant: The contestant that runs.
        place: Store and core; all its processes run on one core.
    """

    def __init__(self, contestant: Contestant, *, place: Place) -> None:
        programs = make_environment(
            contestant.packages, folder=place.environments / contestant.environment_name
        )
        version = next(place.store.glob("*/*/saved_model.pb")).parent
        self.contestant, self.place, self.port = contestant, place, _free_port()
        command = _fill(contestant.command(programs, self.port), place)
        self._command = ["taskset", "--cpu-list", str(place.core), *command]
        self._variables = {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        self._variables |= {VERSION: str(version), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.peak_megabytes = 0.0
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=os.environ | self._variables | self.contestant.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.ready_seconds = self._wait()
        self._ended = threading.Event()
        threading.Thread(target=self._sample, args=[self._ended], daemon=True).start()

    def ask(self, text: str) -> bytes:
        """Return the answer to a text."""
        body = self.contestant.body(text).encode()
        url = f"http://127.0.0.1:{self.port}{self.contestant.path}"
        request = urllib.request.Request(url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return bytes(answer.read())

    def cpu_seconds(self) -> float:
        """Return the processor time of all its processes so far."""
        return sum(map(_cpu_seconds, _tree(self.process.pid)))

    def megabytes(self) -> float:
        """Return the memory of all its processes, shared pages counted once."""
        return sum(megabytes(pid, "Pss") for pid in _tree(self.process.pid))

    def resident_megabytes(self) -> float:
        """Return the resident megabytes of all its processes, shared pages counted for each."""
        return sum(megabytes(pid, "Rss") for pid in _tree(self.process.pid))

    def rests(self) -> bool:
        """Wait until it has no work; return False if it still has some after a while."""
        latest = time.monotonic() + REST_PATIENCE
        while time.monotonic() < latest:
            before = self.cpu_seconds()
            time.sleep(REST_SECONDS)
            if self.cpu_seconds() - before < REST_SHARE * REST_SECONDS:
                return True
        return False

    def stop(self) -> None:
        """End all its processes."""
        self._ended.set()
        tree = _tree(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in tree:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _wait(self) -> float:
        """Return the seconds until it was ready."""
        while time.monotonic() - self.started < PATIENCE:
            if self.process.poll() is not None:
                break
            try:
                if self.contestant.ready is None:
                    self.ask("ready?")
                else:
                    urllib.request.urlopen(
                        f"http://127.0.0.1:{self.port}{self.contestant.ready}", timeout=PATIENCE
                    ).close()
                return time.monotonic() - self.started
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError(f"{self.contestant.name} did not become ready")

    def _sample(self, ended: threading.Event) -> None:
        while not ended.wait(0.5):
            self.peak_megabytes = max(self.peak_megabytes, self.megabytes())


@contextmanager
def serving(contestant: Contestant, *, place: Place) -> Iterator[Server]:
    """Give a contestant that is ready, and end it afterwards."""
    server = Server(contestant, place=place)
    try:
        yield server
    finally:
        server.stop()


def _fill(command: list[str], place: Place) -> list[str]:
    return [part.format(store=place.store) for part in command]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def _stat(pid: int) -> list[str]:
    """Return the fields behind the name in /proc/PID/stat; none if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _cpu_seconds(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0
