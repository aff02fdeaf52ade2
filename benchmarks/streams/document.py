"""Measures a very long document, and short texts meanwhile."""

import threading
import time
from dataclasses import dataclass, field

import httpx2

from benchmarks.streams.service import connect, post, resident, seconds, serving, words
from tests.e2e.server import Server

SHORT = words(20)
PAUSE = 0.01  # seconds between short texts
IDLE_ASKS = 500
LARGE = {"GATEWISE_MAX_CHARS": "16000000", "GATEWISE_MAX_BODY_BYTES": "32000000"}


@dataclass
class Found:
    """The results: seconds for the document and for short texts, and the memory used."""

    tokens: int = 0
    seconds: float = 0.0
    megabytes: float = 0.0
    idle: list[float] = field(default_factory=list)
    meanwhile: list[float] = field(default_factory=list)


def read_document(tokens: int, *, model: str, engine: str) -> Found:
    """Send a document of some tokens, and short texts before and meanwhile."""
    found, done = Found(), threading.Event()
    with serving(model, engine, **LARGE) as server, connect(server) as http:
        post(http, "/predict", text=words(1_000))
        found.idle = [_ask(http) for _ in range(IDLE_ASKS)]
        before = resident(server)
        reader = threading.Thread(target=_read, args=(server, tokens, found, done))
        reader.start()
        peak = before
        while not done.is_set():
            found.meanwhile.append(_ask(http))
            peak = max(peak, resident(server))
        reader.join()
    found.megabytes = peak - before
    return found


def _ask(http: httpx2.Client) -> float:
    time.sleep(PAUSE)
    return seconds(http, "/predict", text=SHORT)


def _read(server: Server, tokens: int, found: Found, done: threading.Event) -> None:
    try:
        with connect(server) as http:
            text, started = words(tokens), time.perf_counter()
            found.tokens = post(http, "/predict", text=text)["tokens"]
            found.seconds = time.perf_counter() - started
    finally:
        done.set()
