"""Many WebSockets at once, one of which reads no answers."""

import asyncio
import json
import random
import time

from websockets.asyncio.client import connect

from benchmarks.streams.service import resident, serving, words

PIECE = json.dumps({"text": " " + words(10)})
EACH = 1.0  # seconds between the pieces of one


def hold_open(streams: int, *, seconds: float, model: str) -> tuple[list[float], int, list[float]]:
    """Return the seconds of each answer, the connections lost, and the memory before and after."""
    with serving(model, "onnx") as server:
        memory = [resident(server)]
        url = f"ws://127.0.0.1:{server.port}/stream"
        times, lost = asyncio.run(_hold(url, streams, seconds))
        memory.append(resident(server))
    return times, lost, memory


async def _hold(url: str, streams: int, seconds: float) -> tuple[list[float], int]:
    times: list[float] = []
    chance = random.Random(0)
    ends = time.perf_counter() + EACH + seconds
    deaf = asyncio.create_task(_never_read(url))
    talks = (_talk(url, EACH * chance.random(), ends, times) for _ in range(streams))
    ended = await asyncio.gather(*talks, return_exceptions=True)
    deaf.cancel()
    return times, sum(isinstance(end, BaseException) for end in ended)


async def _talk(url: str, delay: float, ends: float, times: list[float]) -> None:
    await asyncio.sleep(delay)
    async with connect(url, compression=None) as socket:
        while (started := time.perf_counter()) < ends:
            await socket.send(PIECE)
            answer = json.loads(await socket.recv())
            times.append(time.perf_counter() - started)
            assert "prediction" in answer, answer
            await asyncio.sleep(max(0.0, started + EACH - time.perf_counter()))


async def _never_read(url: str) -> None:
    async with connect(url, compression=None, max_queue=1) as socket:
        while True:
            await socket.send(PIECE)
