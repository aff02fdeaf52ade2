"""Clients that mean harm, in a process of their own.

    python -m tests.promises.attackers PORT KINDS CLIENTS SECONDS

KINDS is a name in KINDS. Each client attacks, again and again, until the time is over. Printed is,
as JSON, how often each kind was answered with which status, was cut without an answer, or was held
to the end.
"""

import asyncio
import itertools
import json
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable

PAUSE = 1.0  # seconds between two attacks of one client, on average
DRIP = 0.2  # between two bytes of those that trickle
BEHIND = b"x" * 65_536

HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
OPENING = (
    b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

Sent = AsyncIterator[bytes]


async def silent() -> Sent:
    yield b""


async def half_a_head() -> Sent:
    yield HEAD + b"X-A: "


async def half_a_body() -> Sent:
    yield POST + b'Content-Length: 99\r\n\r\n{"text": "'


async def most_of_a_large_body() -> Sent:
    yield POST + b"Content-Length: 8000000\r\n\r\n" + b" " * 7_000_000


async def half_a_handshake() -> Sent:
    yield OPENING


async def trickling_head() -> Sent:
    yield HEAD
    while True:
        await asyncio.sleep(DRIP)
        yield b"X"


async def trickling_body() -> Sent:
    yield POST + b"Content-Length: 99999\r\n\r\n"
    while True:
        await asyncio.sleep(DRIP)
        yield b" "


async def trickling_chunks() -> Sent:
    yield CHUNKED
    while True:
        await asyncio.sleep(DRIP)
        yield b"1\r\n \r\n"


async def blank_lines() -> Sent:
    while True:
        await asyncio.sleep(DRIP)
        yield b"\r\n"


async def header_of_64_megabytes() -> Sent:
    yield HEAD + b"X-A: "
    for _ in range(1_024):
        yield BEHIND


async def many_headers() -> Sent:
    yield HEAD
    for _ in range(1_024):
        yield b"a:b\r\n" * 10_000


async def endless_trailer() -> Sent:
    yield CHUNKED + b"0\r\nX-A: "
    for _ in range(1_024):
        yield BEHIND


async def endless_extension() -> Sent:
    yield CHUNKED + b"1;"
    for _ in range(1_024):
        yield BEHIND


async def many_requests_at_once() -> Sent:
    yield (HEAD + b"\r\n") * 8_000


KINDS: dict[str, list[Callable[[], Sent]]] = {
    "slow": [
        silent,
        half_a_head,
        half_a_body,
        half_a_handshake,
        trickling_head,
        trickling_body,
        trickling_chunks,
        blank_lines,
        header_of_64_megabytes,
    ],
    "floods": [
        most_of_a_large_body,
        many_headers,
        endless_trailer,
        endless_extension,
        many_requests_at_once,
    ],
}
"""Those that hold what they have, with a few that send far too much; and those that all do."""


async def attack(port: int, kind: Callable[[], Sent], *, seconds: float) -> str:
    """Return the status of the last answer, "cut" if there was none, "held" if there is no end."""
    answers, end = b"", "cut"
    sending = None
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sending = asyncio.create_task(_send(writer, kind()))
        async with asyncio.timeout(seconds):
            while part := await reader.read(65_536):
                answers = (answers + part)[-100_000:]
    except TimeoutError:
        end = "held"
    except OSError:
        pass
    finally:
        if sending is not None:
            sending.cancel()
            writer.transport.abort()
    _, found, last = answers.rpartition(b"HTTP/1.1 ")
    return last[:3].decode() if found else end


async def _send(writer: asyncio.StreamWriter, parts: Sent) -> None:
    try:
        async for part in parts:
            writer.write(part)
            await writer.drain()
    except OSError:
        pass


async def persist(port: int, kind: Callable[[], Sent], counts: Counter[str], end: float) -> None:
    """Attack until the end, at times of its own."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(random.uniform(0, PAUSE))
    while (left := end - loop.time()) > 0:
        outcome = await attack(port, kind, seconds=left)
        counts[f"{kind.__name__} {outcome}"] += 1
        pause = random.uniform(0.5, 1.5) * PAUSE
        await asyncio.sleep(min(pause, max(0, end - loop.time())))


async def main(port: int, kinds: str, clients: int, seconds: float) -> None:
    counts: Counter[str] = Counter()
    end = asyncio.get_running_loop().time() + seconds
    attacks = itertools.islice(itertools.cycle(KINDS[kinds]), clients)
    await asyncio.gather(*(persist(port, kind, counts, end) for kind in attacks))
    print(json.dumps(counts))  # noqa: T201


if __name__ == "__main__":
    os.nice(10)  # what they do is measured, not how much of the processor they take
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
