"""Starts the service for a measurement, and makes texts for it."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console

from benchmarks.memory import megabytes
from benchmarks.serving.place import store_of
from models.registry import Store
from tests.e2e.server import Server, running

PATIENCE = 600.0  # seconds
TEXT = "the film is slow at first but then it finds its feet and in the end I liked it a lot"

console = Console(stderr=True)


@contextmanager
def serving(model: str, engine: str, **settings: str) -> Iterator[Server]:
    """Give a service of one shipped model, with one computing thread."""
    chosen = {"GATEWISE_ENGINE": engine, "GATEWISE_THREADS": "1"} | settings
    version = Store(Path("models/store")).resolve(model)
    with store_of(version) as store, running(store, **chosen) as server:
        yield server


def connect(server: Server) -> httpx2.Client:
    """Return a client of a service, which keeps its connection."""
    return httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE)


def post(http: httpx2.Client, path: str, **body: Any) -> Any:
    """Return the JSON of a good answer."""
    answer = http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def seconds(http: httpx2.Client, path: str, **body: Any) -> float:
    """Return the seconds that an answer takes."""
    started = time.perf_counter()
    post(http, path, **body)
    return time.perf_counter() - started


def resident(server: Server) -> float:
    """Return the resident megabytes of a service."""
    return megabytes(server.process.pid, "Rss")


def words(count: int) -> str:
    """Return a text of some words; each is a token of the shipped models."""
    return " ".join(itertools.islice(itertools.cycle(TEXT.split()), count))
