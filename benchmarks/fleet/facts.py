"""Measures what a process needs besides processor time: start, memory, reload, bytes, logs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.fleet.machine import Machine
from benchmarks.fleet.texts import Texts
from benchmarks.serving.http import post
from benchmarks.serving.place import STORE, Place
from benchmarks.serving.results import Record
from benchmarks.serving.server import ROOT, _free_port
from models.registry import Store

OTHER = "imdb-lstm"  # the model that is added while the service runs
PATIENCE = 60.0  # seconds
LOGGED = 200  # requests whose log is measured
WORKERS = 2


def measure_facts(machine: Machine, texts: dict[str, Texts]) -> Record:
    """Return the facts; the service of the machine has been loaded before."""
    place, port = machine.place, machine.server.port
    version = place.version
    return {
        "ready_seconds": machine.server.ready_seconds,
        "megabytes": machine.server.megabytes(),
        "version_bytes": sum(file.stat().st_size for file in version.path.iterdir()),
        "reload_seconds": _measure_reload(place, port),
        "bytes": {kind: _measure_bytes(port, each.texts[:LOGGED]) for kind, each in texts.items()},
        **_measure_workers(place, texts["sentences"].texts[:LOGGED]),
    }


def _measure_reload(place: Place, port: int) -> float:
    """Return the seconds from a version in the store to its first answer."""
    source = Store(STORE).resolve(OTHER).path
    with tempfile.TemporaryDirectory(dir=place.store) as scratch:
        staged = Path(scratch) / "model"
        shutil.copytree(source.parent, staged)
        started = time.perf_counter()
        staged.rename(place.store / OTHER)
    body = json.dumps({"text": "fine", "model": OTHER})
    _wait(lambda: _ask(port, body) == 200)
    seconds = time.perf_counter() - started
    shutil.rmtree(place.store / OTHER)
    _wait(lambda: _ask(port, body) == 404)
    return seconds


def _measure_bytes(port: int, texts: Sequence[str]) -> dict[str, float]:
    """Return the bytes of a request and of its answer, heads included, on average."""
    asked = answered = 0
    for text in texts:
        body = json.dumps({"text": text}).encode()
        with urllib.request.urlopen(_request(port, body), timeout=PATIENCE) as answer:
            head = sum(len(name) + len(value) + 4 for name, value in answer.getheaders())
            answered += len("HTTP/1.1 200 OK\r\n\r\n") + head + len(answer.read())
        asked += len(post("/predict", body))
    return {"asked": asked / len(texts), "answered": answered / len(texts)}


def _measure_workers(place: Place, texts: Sequence[str]) -> Record:
    """Return memory, series and bytes of log of a service of several processes."""
    with _workers(place) as (port, process, log):
        before = log.stat().st_size
        for text in texts:
            _ask(port, json.dumps({"text": text}))
        written = log.stat().st_size - before
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as page:
            lines = page.read().decode().splitlines()
        return {
            "workers": WORKERS,
            "megabytes_of_workers": _megabytes(process.pid),
            "series": sum(1 for line in lines if line and not line.startswith("#")),
            "log_bytes_a_request": written / len(texts),
        }


@contextmanager
def _workers(place: Place) -> Iterator[tuple[int, subprocess.Popen[bytes], Path]]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as scratch, (Path(scratch) / "log").open("wb") as log:
        command = [sys.executable, "-m", "service", "--port", str(port)]
        command += ["--store", str(place.store), "--workers", str(WORKERS)]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"GATEWISE_THREADS": "1", "GATEWISE_LOG": "json"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(lambda: _ask(port, json.dumps({"text": "ready?"})) == 200)
            yield port, process, Path(log.name)
        finally:
            process.terminate()
            process.wait()


def _megabytes(pid: int) -> float:
    from benchmarks.memory import megabytes
    from benchmarks.serving.server import _tree

    return sum(megabytes(each, "Pss") for each in _tree(pid))


def _request(port: int, body: bytes) -> urllib.request.Request:
    headers = {"content-type": "application/json"}
    return urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, headers)


def _ask(port: int, body: str) -> int:
    """Return the status of an answer; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(_request(port, body.encode()), timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _wait(happened: Callable[[], bool]) -> None:
    """Wait until something has happened.

    Raises:
        TimeoutError: It has not in time.
    """
    until = time.perf_counter() + PATIENCE
    while not happened():
        if time.perf_counter() > until:
            raise TimeoutError("the service does not answer as expected")
        time.sleep(0.02)
