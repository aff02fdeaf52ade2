"""No text, state or key is in a log, a metric or an error, and nothing is sent elsewhere.

Canaries, strings that stand nowhere else, are put into every part of a request.
"""

import itertools
import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from service.engines import loading
from service.engines.protocol import Engine
from service.settings import Settings
from tests.e2e.server import Server
from tests.promises.shipped import MODEL, STORE, serving_shipped
from tests.service.web.live import serving

CANARY = "kanarienvogel"
JSON = "application/json"
SMALL = 100_000  # bytes

# What a client may find again in the answer to itself: names, and headers, cut short.
REPEATED = {"model", "version", "name", "key", "X-Deadline-Ms", "content-type", "content-encoding"}


class Canaries:
    """Strings by where they were put."""

    def __init__(self) -> None:
        self._count = 0
        self.places: dict[str, str] = {}

    def put(self, place: str) -> str:
        """Return a new one."""
        self._count += 1
        canary = f"{CANARY}{self._count}x"
        self.places[canary] = place
        return canary

    def found_in(self, text: str) -> set[str]:
        """Return the places of those that stand in a text."""
        return {self.places[each] for each in re.findall(rf"{CANARY}\d+x", text)}


def exchange(port: int, request: bytes) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(request)
        answer = b""
        while part := client.recv(65_536):
            answer += part
    return answer.decode("utf-8", "replace")


def make_request(
    canaries: Canaries, method: str, path: str, body: bytes = b"", **headers: str
) -> bytes:
    sent = {
        "host": "x",
        "connection": "close",
        "content-type": JSON,
        "content-length": str(len(body)),
        "authorization": f"Bearer {canaries.put('authorization')}",
        "cookie": canaries.put("cookie"),
        "referer": canaries.put("referer"),
        "user-agent": canaries.put("user-agent"),
        "x-forwarded-for": canaries.put("x-forwarded-for"),
        canaries.put("header-name"): canaries.put("header"),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    query = f"{canaries.put('query')}={canaries.put('query')}"
    lines = [f"{method} {path}?{query} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def make_bodies(canaries: Canaries) -> Iterator[dict[str, Any]]:
    """Give bodies, valid and not, with a canary in each field."""
    put = canaries.put
    yield {"text": put("text")}
    yield {"texts": [put("text"), 5, {put("text"): put("text")}, [put("text")], "\ud83d"]}
    yield {"text": put("text"), "trajectory": True, "explain": True, "gates": True}
    yield {"text": put("text") * 200_000}
    yield {"text": {put("text"): put("text")}}
    yield {"text": put("text"), "state": put("state")}
    yield {"text": put("text"), "model": put("model")}
    yield {"text": put("text"), "model": f"{put('model')}:{put('model')}"}
    yield {"text": put("text"), "version": put("version")}
    yield {"text": put("text"), put("key"): put("text")}
    for field in ("top_k", "stop_at", "explain", "trajectory", "gates", "final", "restart"):
        yield {"text": put("text"), field: put("text")}
    yield {"text": put("text"), "texts": [put("text")]}
    yield {"text": put("text"), "stop_at": 0.5}


def make_requests(canaries: Canaries) -> Iterator[bytes]:
    """Give requests to every route, with a canary wherever there is room for one."""
    for path in ("/predict", "/stream"):
        for body in make_bodies(canaries):
            content = json.dumps(body).encode()
            yield make_request(canaries, "POST", path, content)
            yield make_request(canaries, "POST", path, content[: len(content) // 2])
        content = json.dumps({"text": canaries.put("text")}).encode()
        for name, value in {
            "x_deadline_ms": canaries.put("X-Deadline-Ms"),
            "content_type": f"text/{canaries.put('content-type')}",
            "content_encoding": canaries.put("content-encoding"),
        }.items():
            yield make_request(canaries, "POST", path, content, **{name: value})
        equal = canaries.put("key"), canaries.put("text")
        yield make_request(canaries, "POST", path, b'{"%s": "%s", "%s": 1}' % (
            equal[0].encode(), equal[1].encode(), equal[0].encode()
        ))  # fmt: skip
        yield make_request(canaries, "POST", path, b'{"text": "%s\xff"}' % equal[1].encode())
    for path in ("/", "/models", "/livez", "/readyz", "/metrics", "/explanations", "/docs"):
        yield make_request(canaries, "GET", path)
        yield make_request(canaries, "DELETE", path, canaries.put("body").encode())
    yield make_request(canaries, "GET", f"/models/{canaries.put('name')}")
    yield make_request(canaries, "GET", f"/models/{canaries.put('name')}:{canaries.put('name')}")
    yield make_request(canaries, "GET", f"/{canaries.put('path')}/{canaries.put('path')}")
    yield make_request(canaries, "GET", f"/page/{canaries.put('path')}")
    yield f"GET /livez HTTP/1.1\r\n{canaries.put('broken')}\r\n\r\n".encode()
    yield f"{canaries.put('broken')} / HTTP/1.1\r\n\r\n".encode()


def speak(port: int, canaries: Canaries) -> str:
    """Send every body over WebSockets, and bad handshakes; return all that was answered."""
    answers = []
    query = f"{canaries.put('query')}={canaries.put('query')}"
    headers = {canaries.put("header-name"): canaries.put("header")}
    with connect(f"ws://127.0.0.1:{port}/stream?{query}", additional_headers=headers) as opened:
        messages = map(json.dumps, make_bodies(canaries))
        for message in (each for each in messages if len(each) < SMALL):  # a large one ends all
            opened.send(message)
            answers.append(str(opened.recv()))
    for path in (canaries.put("path"), f"stream/{canaries.put('path')}"):
        with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{port}/{path}"):
            pass
        answers.append(bytes(refused.value.response.body or b"").decode())
    return "\n".join(answers)


def test_no_part_of_a_request_is_seen_again() -> None:
    canaries = Canaries()
    with serving_shipped(GATEWISE_MAX_BODY_BYTES="1000000", GATEWISE_LOG="json") as server:
        for request in make_requests(canaries):
            answer = exchange(server.port, request)
            status = int(answer.split()[1])
            assert status < 500, answer
            assert status < 400 or canaries.found_in(answer) <= REPEATED, answer[:2_000]
        spoken = speak(server.port, canaries)
        assert canaries.found_in(spoken) <= REPEATED, spoken
        metrics = server.request_text("/metrics")
    assert not canaries.found_in(metrics)
    assert not canaries.found_in("".join(server.log))
    assert len(canaries.places) > 500


@pytest.mark.parametrize("planted", ["encode", "compute"])
def test_a_fault_is_logged_without_what_it_failed_on(
    planted: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from service.answering.classifier import Classifier

    canaries = Canaries()
    text = canaries.put("text")

    def fail(*_: Any, **__: Any) -> None:
        try:
            {}[text]
        except KeyError as error:
            raise ValueError(f"cannot read {text!r}") from error

    engines = record_engines(monkeypatch)
    with serving(Settings(store=STORE, model=MODEL, threads=1)) as port:
        if planted == "encode":
            monkeypatch.setattr(Classifier, "encode", fail)
        else:
            for engine, way in itertools.product(engines, ("predict", "step", "look")):
                if hasattr(engine, way):
                    monkeypatch.setattr(engine, way, fail)
        for path, body in (
            ("/predict", {"text": text}),
            ("/predict", {"texts": [text, text]}),
            ("/stream", {"text": text}),
            ("/predict", {"text": text, "explain": True}),
        ):
            answer = exchange(port, make_request(canaries, "POST", path, json.dumps(body).encode()))
            assert not canaries.found_in(answer)
        with connect(f"ws://127.0.0.1:{port}/stream") as opened:
            opened.send(json.dumps({"text": text}))
            assert not canaries.found_in(str(opened.recv()))
        assert not canaries.found_in(exchange(port, make_request(canaries, "GET", "/metrics")))
    assert "ValueError" in caplog.text
    assert not canaries.found_in(caplog.text)


def record_engines(monkeypatch: pytest.MonkeyPatch) -> list[Engine]:
    """Return a list that every engine is added to which is loaded from now on."""
    engines: list[Engine] = []
    load = loading.load_engine

    def record(*version: Any, **how: Any) -> Engine:
        engines.append(load(*version, **how))
        return engines[-1]

    monkeypatch.setattr(loading, "load_engine", record)
    return engines


@pytest.mark.e2e
@pytest.mark.tensorless(reason="libraries of TensorFlow bind a socket to see whether there is IPv6")
def test_nothing_but_the_served_socket_is_opened(tmp_path: Path) -> None:
    log = tmp_path / "audit"
    log.touch()
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    canaries = Canaries()
    with serving_shipped(PYTHONPATH=path, FORBIDDEN_LOG=str(log)) as server:
        for request in make_requests(canaries):
            exchange(server.port, request)
        speak(server.port, canaries)
        assert listening(server) == {server.port}
    events = [line.split()[0] for line in log.read_text().splitlines()]
    assert events.count("socket.bind") == 1, log.read_text()
    assert set(events) <= {"socket.bind", "socket.getaddrinfo"}, log.read_text()


def listening(server: Server) -> set[int]:
    """Return the local ports of all TCP and UDP sockets of a process that have no peer of ours."""
    sockets = set()
    for link in Path(f"/proc/{server.process.pid}/fd").iterdir():
        if link.exists() or link.is_symlink():
            target = os.readlink(link)
            if target.startswith("socket:"):
                sockets.add(target[8:-1])
    ports = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{server.process.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports
