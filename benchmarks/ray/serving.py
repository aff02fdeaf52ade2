"""Replaces the replicas of the service on a cluster while clients ask it, and streams over two."""

import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from benchmarks.ray.cluster import nodes, run_command

MODEL, CLIENTS = "imdb-gru", 4
_READ = re.compile(rf'^gatewise_tokens_total{{.*model="{MODEL}".*}} (\S+)$', re.MULTILINE)
_STARTED = re.compile(r"^gatewise_requests_created{.*} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Redeployed:
    """What was measured.

    Args:
        seconds: Time of the second deployment, during which clients asked.
        statuses: Number of answers to them by status; 0 for a lost connection.
        longest: Longest time of an answer (seconds).
        median: Median time of an answer (seconds).
        wrong: Answers that differ from those before.
        pieces: Pieces of the streams, a token each.
        replicas: Replicas that answered pieces.
        broken: Streams whose last answer is not that of the whole text.
        over: Streams that went on over the deployment.
    """

    seconds: float
    statuses: dict[int, int]
    longest: float
    median: float
    wrong: int
    pieces: int
    replicas: int
    broken: int
    over: int


@dataclass
class _Load:
    """Clients that ask one request after the other until they are told to stop."""

    url: str
    texts: Sequence[str]
    wanted: Sequence[dict[str, Any]]
    stopped: threading.Event = field(default_factory=threading.Event)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0

    def ask(self, first: int) -> None:
        """Ask again and again, each time on the connection that is there."""
        with httpx2.Client(timeout=120) as client:
            number = first
            while not self.stopped.is_set():
                place = number % len(self.texts)
                started = time.monotonic()
                try:
                    answer = client.post(
                        f"{self.url}/predict",
                        json={"text": self.texts[place]},
                        headers={"X-Deadline-Ms": "60000"},
                    )
                except httpx2.TransportError:
                    self.statuses[0] += 1
                else:
                    self.statuses[answer.status_code] += 1
                    self.wrong += answer.is_success and answer.json() != self.wanted[place]
                self.seconds.append(time.monotonic() - started)
                number += CLIENTS


def measure(texts: Sequence[str], *, port: int = 8765) -> Redeployed:
    """Deploy two replicas, then again under load; stream texts by token before and over it."""
    url = f"http://127.0.0.1:{port}"
    with nodes(1, cores=2) as cluster:
        deploy = ["service.ray", "--ray", cluster.address, "--port", port, "--model", MODEL]
        run_command(*deploy)
        wanted = [_post(f"{url}/predict", text=text) for text in texts]
        streams = [_Stream(url, text) for text in texts]
        for stream in streams:
            stream.send(len(stream.pieces) // 2)
        replicas = _count_replicas(url)
        load = _Load(url, texts, wanted)
        clients = [threading.Thread(target=load.ask, args=(n,)) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        seconds, _ = run_command(*deploy)
        load.stopped.set()
        for client in clients:
            client.join()
        for stream in streams:
            stream.send(len(stream.pieces))
    broken = sum(not stream.is_like(whole) for stream, whole in zip(streams, wanted, strict=True))
    return Redeployed(
        seconds=seconds,
        statuses=dict(load.statuses),
        longest=max(load.seconds),
        median=statistics.median(load.seconds),
        wrong=load.wrong,
        pieces=sum(len(stream.pieces) for stream in streams),
        replicas=replicas,
        broken=broken,
        over=len(streams),
    )


class _Stream:
    """A text that is sent word by word; whichever replica answers continues from the state."""

    def __init__(self, url: str, text: str) -> None:
        self._url = f"{url}/stream"
        self.pieces = re.findall(r"\S+\s*", text)
        self._sent = 0
        self._state: object = None
        self.last: dict[str, Any] = {}

    def send(self, until: int) -> None:
        """Send pieces up to this one."""
        for piece in self.pieces[self._sent : until]:
            final = self._sent == len(self.pieces) - 1
            self.last = _post(self._url, text=piece, state=self._state, final=final)
            self._state = self.last.get("state")
            self._sent += 1

    def is_like(self, whole: dict[str, Any]) -> bool:
        """Whether the last answer is that of the whole text, within rounding."""
        found = self.last["prediction"]["probabilities"]
        return all(
            abs(found[name] - value) < 1e-5 for name, value in whole["probabilities"].items()
        )


def _post(url: str, **body: object) -> dict[str, Any]:
    answer = httpx2.post(url, json=body, timeout=60)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _count_replicas(url: str) -> int:
    """Return how many replicas have read tokens; each shows its own counts."""
    seen = set()
    for _ in range(40):
        metrics = httpx2.get(f"{url}/metrics", timeout=60).text
        if _READ.search(metrics) and (started := _STARTED.search(metrics)):
            seen.add(started[1])
    return len(seen)
