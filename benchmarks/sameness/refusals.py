"""Compares how both checkouts reject bad requests."""

import base64
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from benchmarks.sameness.checkout import MODELS
from benchmarks.sameness.report import Difference, Report, list_differences
from benchmarks.sameness.server import JSON, LAST_DIGITS, Answer, Server, Servers, exchange

FIRST, OTHER = MODELS
LONG_WORDS = 20_000  # far more than a service reads within a millisecond
CROWD, CROWD_DEADLINE = 60, "400"  # clients at once, and the milliseconds they give


class Bad(NamedTuple):
    """A request that the service rejects, at least in part.

    Args:
        path: Path of its URL.
        body: Bytes, or a value that becomes JSON.
        headers: All of its headers.
        method: HTTP method.
    """

    path: str
    body: Any = None
    headers: Mapping[str, str] = JSON
    method: str = "POST"

    @property
    def content(self) -> bytes | None:
        """The bytes of the body."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()

    @property
    def name(self) -> str:
        """A short name of the request."""
        body = (self.content or b"")[:80].decode(errors="replace")
        return f"{self.method} {self.path} {body} {dict(self.headers)}"


def compare_refusals(servers: Servers, report: Report) -> None:
    """Compare the answers to bad requests, over HTTP and over a WebSocket."""
    state = servers.same_answer("/stream", {"text": "a fine start and"})["state"]
    requests = [*_bad_bodies(), *_bad_predictions(), *_bad_streams(state), *_bad_paths()]
    refused = 0
    for bad in requests:
        before, after = servers.ask(bad.method, bad.path, bad.content, bad.headers)
        servers.require_same_names(bad.name, before, after)
        report.require(f"{bad.name}: status", before.status, after.status)
        _require_same_errors(report, bad.name, before.body, after.body)
        refused += before.status >= 400
    report.same(f"bad requests: status, type, field; {refused} of {len(requests)} refused whole")
    messages = list(_bad_messages(state))
    with servers.sockets() as sockets:
        for message in messages:
            found = servers.exchange_messages(sockets, message)
            texts = [text.encode() for text in found]
            _require_same_errors(report, f"WebSocket {message[:80]!r}", *texts)
    report.same(f"bad messages on a WebSocket: type, field; {len(messages)} messages")


def compare_overload(servers: Servers, report: Report) -> None:
    """Send more requests than can be answered in time; compare the form of a rejection."""
    before, after = servers.both(_overload)
    servers.require_same_names("overload", before, after)
    _require_same_errors(report, "overload", *(_without_times(a.body) for a in (before, after)))
    report.same("overload: 429 with type, retry_after and Retry-After")


def _overload(server: Server) -> Answer:
    body = json.dumps({"text": "good " * 3_000}).encode()
    headers = {**JSON, "x-deadline-ms": CROWD_DEADLINE}

    def send(_number: int) -> Answer:
        return exchange(server.connect(), "POST", "/predict", body, headers)

    with ThreadPoolExecutor(CROWD) as clients:
        answers = list(clients.map(send, range(CROWD)))
    refused = [answer for answer in answers if answer.status == 429]
    if not refused or {answer.status for answer in answers} - {200, 429, 504}:
        statuses = sorted({answer.status for answer in answers})
        raise Difference(f"{server.checkout.side}: too many requests are answered {statuses}")
    return refused[0]


def _without_times(body: bytes) -> bytes:
    content = json.loads(body)
    if not content["error"].pop("retry_after") >= 1:
        raise Difference(f"retry_after is no time: {body!r}")
    return json.dumps(content).encode()


def _require_same_errors(report: Report, name: str, before: bytes, after: bytes) -> None:
    """Raise Difference unless two bodies are the same, except the messages of their errors."""
    try:
        found = [json.loads(body) for body in (before, after)]
    except ValueError:
        report.require(name, before, after)
        return
    messages = [_take_messages(content) for content in found]
    if places := list_differences(*found, tolerance=LAST_DIGITS):
        raise Difference("\n".join([f"{name}:", *places]))
    for one, other in zip(*messages, strict=True):
        report.reword(name, one, other)


def _take_messages(content: Any) -> list[str]:
    """Remove the messages of all errors in an answer, and return them."""
    if isinstance(content, list):
        return [message for item in content for message in _take_messages(item)]
    if not isinstance(content, dict):
        return []
    if isinstance(error := content.get("error"), dict):
        return [error.pop("message")]
    return [message for item in content.values() for message in _take_messages(item)]


def _bad_bodies() -> Iterator[Bad]:
    for path in ("/predict", "/stream"):
        for body in (b"", b"null", b"{", b"\xff\xfe", b'{"text": "a"', b"[]", b'"a"', b"1"):
            yield Bad(path, body)
        yield Bad(path, b"[" * 100_000)
        yield Bad(path, b'{"text": "a", "version": ' + b"9" * 5_000 + b"}")
        yield Bad(path, b'{"text": "' + b"a" * (8 * 1024**2) + b'"}')
        yield Bad(path, {"text": "a" * 2_000_001})
        yield Bad(path, {"text": "a"}, {"content-type": "text/plain"})
        yield Bad(path, {"text": "a"}, {})
        yield Bad(path, {"text": "a"}, {**JSON, "content-encoding": "gzip"})
        yield Bad(path, {"text": "a"}, {"content-type": "application/json; charset=utf-8"})
        for deadline in ("0", "-1", "1.5", "soon", "3600001", "9" * 5_000, ""):
            yield Bad(path, {"text": "a"}, {**JSON, "x-deadline-ms": deadline})
        yield Bad(path, {"text": "word " * LONG_WORDS}, {**JSON, "x-deadline-ms": "1"})
        yield Bad(path, {"text": "a"}, {**JSON, "x-request-id": "mine"})


def _bad_predictions() -> Iterator[Bad]:
    questions: list[dict[str, Any]] = [
        {},
        {"text": None},
        {"text": 1},
        {"text": ["a"]},
        {"text": "\ud83d"},
        {"texts": []},
        {"texts": "a"},
        {"texts": ["a", 1, None, "\ud83d", [], {}, True, "a" * 2_000_001]},
        {"texts": ["a"] * 10_001},
        {"text": "a", "texts": ["a"]},
        {"text": "a", "unknown": 1},
        {"text": "a", "x" * 300: 1},
        {"text": "a", "model": "nobody"},
        {"text": "a", "model": 1},
        {"text": "a", "model": "x" * 65},
        {"text": "a", "model": FIRST, "version": 9},
        {"text": "a", "version": 0},
        {"text": "a", "version": "1"},
        {"text": "a", "top_k": 0},
        {"text": "a", "top_k": 1.5},
        {"text": "a", "top_k": 9},
        {"text": "a", "stop_at": 0.8},
        {"text": "a", "stop_at": "0.9"},
        {"text": "a", "stop_at": 0.9, "gates": True},
        {"text": "a", "explain": "gradient"},
        {"text": "a", "explain": 1},
        {"text": "a", "trajectory": "yes"},
        {"text": "a", "gates": None},
        {"texts": ["a"], "explain": True},
        {"texts": ["a"], "gates": True},
        {"text": "word " * 20_001, "explain": "prefix"},
        {"text": "word " * 1_001, "explain": "occlusion"},
        {"text": "word " * 20_001, "gates": True},
        {"text": "word. " * 1_000, "trajectory": True},
    ]
    yield from (Bad("/predict", question) for question in questions)


def _bad_streams(state: str) -> Iterator[Bad]:
    questions: list[dict[str, Any]] = [
        {},
        {"text": None},
        {"text": 1},
        {"text": "a", "unknown": 1},
        {"text": "a", "model": "nobody"},
        {"text": "a", "final": 1},
        {"text": "a", "top_k": 0},
        {"text": "\ud83d", "final": True},
        {"text": "\ud83d a"},
        {"text": "word " * 20_001, "explain": True},
        {"text": "a", "state": state, "model": OTHER},
        {"text": "a", "state": state, "version": 9},
        *({"text": "a", "state": bad} for bad in _corrupt(state)),
    ]
    yield from (Bad("/stream", question) for question in questions)


def _corrupt(state: str) -> list[Any]:
    """Return strings that are not states; most of them nearly are."""
    raw = base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
    changed = [bytes([raw[0] ^ 1]) + raw[1:], raw[:-1] + bytes([raw[-1] ^ 1]), raw[:-4], raw[:16]]
    texts = [base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in changed]
    return [*texts, "", "A", "%%%", "é", state + "=", f" {state}", state[:-1], state * 2, 1, {}]


def _bad_paths() -> Iterator[Bad]:
    for path in ("/predict", "/stream", "/nowhere", "/models/nobody", "/page/nothing.js", "/page/"):
        yield Bad(path, method="GET")
    for path in ("/livez", "/models", "/metrics", "/", "/explanations", "/models/" + "x" * 300):
        yield Bad(path, {"text": "a"})
    yield Bad("/page/../app.py", method="GET")
    yield Bad("/models/%00", method="GET")
    yield Bad("/predict", method="OPTIONS")
    yield Bad("/predict", method="DELETE")
    yield Bad("/predict/", {"text": "a"})


def _bad_messages(state: str) -> Iterator[str | bytes]:
    yield from ("", "null", "{", "[]", "1", "[" * 100_000, b"\xff\xfe", b"{}")
    questions: list[dict[str, Any]] = [
        {"text": 1},
        {"text": None},
        {"text": "a", "unknown": 1},
        {"text": "a", "final": True},
        {"text": "a", "restart": True, "state": state},
        {"text": "a", "restart": 1},
        {"text": "a", "model": "nobody", "restart": True},
        {"text": "a", "model": OTHER},
        {"text": "a", "version": 9},
        {"text": "\ud83d a"},
        {"text": "a" * 2_000_001},
        {"text": "word " * 20_001, "explain": True},
        *({"state": bad} for bad in _corrupt(state)),
        {"text": "good", "state": state},
    ]
    yield from map(json.dumps, questions)
