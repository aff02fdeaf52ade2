"""The wall clock may jump, and no deadline, limit, stream or look at the store breaks."""

import ast
import json
import shutil
import socket
import time
import urllib.request
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from models.registry import Store
from service.settings import Settings
from tests.e2e.server import ROOT, running
from tests.effort import Effort
from tests.promises.hostile.small_version import publish_small
from tests.promises.shipped import wait_until
from tests.service.web.live import serving

HOUR = 3_600
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))

# Where the time of the day is read, and why a jump does no harm.
WALL_CLOCK = {
    "service/web/access/commands.py": "a key ends at a time of the day, as it was asked for",
    "service/web/access/key_ring.py": "the same: whether a key has ended is asked at each request",
    "service/web/access/keys.py": "the same",
    "service/web/tracing.py": "a trace says when it began; what it lasts is not measured by it",
    "service/rollout/verdicts.py": "a verdict says when it was given; nothing goes by that",
    "models/atomic.py": "what nobody has claimed is deleted, and after a day what none can claim",
    "models/registry.py": "what nobody has claimed is deleted after an hour; claims go by no clock",
    "models/steering.py": "the history says when a label moved; its order is that of the list",
}
READING = {"time", "time_ns", "now", "utcnow", "today"}  # of the modules time and datetime


def reads_wall_clock(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in READING:
            value = node.value
            if isinstance(value, ast.Name) and value.id in ("time", "datetime", "date"):
                return True
    return False


def test_the_wall_clock_is_read_in_known_places_only() -> None:
    paths = [path for folder in ("models", "service") for path in (ROOT / folder).rglob("*.py")]
    found = {str(path.relative_to(ROOT)) for path in paths if reads_wall_clock(path)}
    assert found == WALL_CLOCK.keys()


Jump = Callable[[float], None]
"""Puts the wall clock so many seconds off the true time."""

PATIENCE = 2  # seconds, for a head, a message and a request
SETTINGS = {
    "client_seconds": PATIENCE,
    "keep_alive_seconds": PATIENCE,
    "stream_idle_seconds": PATIENCE,
    "poll_seconds": 0.1,
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    publish_small(tmp_path)  # a large one loads for a minute where each look at the clock is slow
    return tmp_path


def hold_all(port: int, store: Path, jump: Jump, *, jumps: int) -> None:
    """See that nothing breaks or is late or early while the clock jumps."""
    for number, seconds in enumerate((HOUR, -HOUR, 0)[:jumps], start=2):
        first = ask(port, "/stream", text="An unforget")
        held = [start(port, sent) for sent in (b"", b"GET /livez HTTP/1.1\r\nHo")]
        with connect(f"ws://127.0.0.1:{port}/stream") as opened:
            opened.send('{"text": "An unforget"}')
            opened.recv()
            jump(seconds)
            ask(port)
            ask(port, "/stream", text="table film.", state=first["state"])
            opened.send('{"text": "table film."}')
            started = time.monotonic()
            assert "prediction" in json.loads(opened.recv())
            for client in held:
                wait_for_end(client)
            with pytest.raises(ConnectionClosed):
                opened.recv(timeout=30)
            assert 0.8 * PATIENCE <= time.monotonic() - started <= 10 * PATIENCE
        publish_again(store)
        wait_until(lambda number=number: ask(port)["version"] == number)


def start(port: int, sent: bytes) -> tuple[socket.socket, float]:
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(sent)
    return client, time.monotonic()


def wait_for_end(begun: tuple[socket.socket, float]) -> None:
    """See that a silent client is cut when its time is over, and not before."""
    client, started = begun
    with client:
        while client.recv(999):
            pass
    assert 0.8 * PATIENCE <= time.monotonic() - started <= 10 * PATIENCE


def publish_again(store: Path) -> None:
    newest = Store(store).resolve("toy")
    with Store(store).staging("toy") as folder:
        shutil.copytree(newest.path, folder, dirs_exist_ok=True)
        Store(store).publish(folder, metadata=newest.metadata)


@pytest.mark.tensorless(reason="the small version has no SavedModel")
def test_the_clock_of_python_jumps(
    store: Path, effort: Effort, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset, read, read_ns = [0.0], time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: read() + offset[0])
    monkeypatch.setattr(time, "time_ns", lambda: read_ns() + round(1e9 * offset[0]))

    def jump(seconds: float) -> None:
        offset[0] = seconds

    with serving(Settings(store=store, threads=1, **SETTINGS)) as port:
        hold_all(port, store, jump, jumps=effort(short=2, long=3))


@pytest.mark.e2e
@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed (Debian: faketime)")
def test_the_clock_of_a_process_jumps(
    store: Path, effort: Effort, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if not effort(short=0, long=1):
        pytest.skip("beneath libfaketime a busy machine takes minutes; the long form has them")
    clock = tmp_path_factory.mktemp("clock") / "offset"
    clock.write_text("+0")

    def jump(seconds: float) -> None:
        clock.write_text(f"{seconds:+.0f}")

    faked = {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    settings = {f"GATEWISE_{name.upper()}": str(value) for name, value in SETTINGS.items()}
    with running(store, **faked, **settings) as server:
        hold_all(server.port, store, jump, jumps=effort(short=2, long=3))
        jump(HOUR)
        # Or nothing was shown. Uvicorn looks at the clock about once a second.
        wait_until(lambda: abs(seconds_ahead(server.port) - HOUR) < 600)
        assert not [line for line in server.log if "Traceback" in line]


def seconds_ahead(port: int) -> float:
    """Return how much later it is for a service than here."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=30) as answer:
        date = parsedate_to_datetime(answer.headers["date"])
    return date.timestamp() - time.time()


def ask(port: int, path: str = "/predict", **question: object) -> dict:
    body = json.dumps({"text": "An unforgettable film."} | question).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Deadline-Ms: 20000\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=120) as client:
        client.sendall(head.encode() + body)
        answer = b""
        while part := client.recv(65_536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    return json.loads(answer.partition(b"\r\n\r\n")[2])
