"""Measures many WebSockets at once, one of which reads no answers."""

import asyncio
import json
import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.streams.service import resident, serving, words

PIECE = json.dumps({"text": " " + words(10)})
EACH = 1.0  # seconds between the pieces of one


@dataclass(frozen=True)
class Held:
    """The results of the streams.

    Args:
        opening: Seconds until all were open, opened one after the other.
        times: Seconds from when a piece was due to its answer, of all pieces.
        lost: Connections that ended too early.
        memory: Megabytes before and after.
    """

    opening: float
    times: list[float]
    lost: int
    memory: tuple[float, float]


def hold_open(streams: int, *, seconds: float, model: str) -> Held:
    """Open streams, then send a piece each second on each, at moments of its own."""
    with serving(model, "auto") as server:
        before = resident(server)
        url = f"ws://127.0.0.1:{server.port}/stream"
        opening, times, lost = asyncio.run(_hold(url, streams, seconds))
        return Held(opening, times, lost, (before, resident(server)))


async def _hold(url: str, streams: int, seconds: float) -> tuple[float, list[float], int]:
    started = time.perf_counter()
    sockets = [await connect(url, compression=None) for _ in range(streams)]
    opening = time.perf_counter() - started
    times: list[float] = []
    chance = random.Random(0)
    with _deaf(url):
        start = time.perf_counter()
        talks = (
            _talk(socket, start + EACH * chance.random(), start + seconds, times)
            for socket in sockets
        )
        ended = await asyncio.gather(*talks, return_exceptions=True)
    await asyncio.gather(*(socket.close() for socket in sockets))
    return opening, times, sum(isinstance(end, BaseException) for end in ended)


async def _talk(socket: ClientConnection, due: float, ends: float, times: list[float]) -> None:
    """Send a piece whenever one is due; a late answer does not delay the next due time."""
    while due < ends:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await socket.send(PIECE)
        answer = json.loads(await socket.recv())
        assert "prediction" in answer, answer
        times.append(time.perf_counter() - due)
        due += EACH


@contextmanager
def _deaf(url: str) -> Iterator[None]:
    """Send without end and never read, in a process of its own, so that others are not delayed."""
    process = multiprocessing.get_context("spawn").Process(target=_send_forever, args=[url])
    process.start()
    try:
        yield
        assert process.is_alive(), "the client that never reads ended early"
    finally:
        process.terminate()
        process.join()


def _send_forever(url: str) -> None:
    asyncio.run(_never_read(url))


async def _never_read(url: str) -> None:
    async with connect(url, compression=None, max_queue=1) as socket:
        while True:
            await socket.send(PIECE)
