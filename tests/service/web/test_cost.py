"""What a request must not cost: garbage, timers for what is here already, FastAPI's telemetry."""

import asyncio
import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Scope

from service.settings import Settings
from service.web.app import create_app, entrance_of
from service.web.client import Client, note_client

REQUESTS = 20
GOOD = {"text": "good film"}


class _Arrived:
    """As uvicorn has it, a request all of which is here."""

    more_body = disconnected = False


ARRIVED: Any = _Arrived()


@pytest.fixture
def app(store: Path) -> Iterator[FastAPI]:
    app = create_app(Settings(store=store, threads=1, max_body_bytes=1_000))
    app.state.service.catalog.refresh()
    app.state.service.scheduler.start()
    yield app
    app.state.service.scheduler.shutdown()


def scope_of(body: bytes, headers: dict[bytes, bytes]) -> Scope:
    """Return the scope of a posted body, all of which has come."""
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/predict",
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *headers.items(),
        ],
    }
    note_client(scope, Client(ARRIVED))
    return scope


async def ask(app: ASGIApp, body: bytes, headers: dict[bytes, bytes]) -> tuple[int, bytes]:
    """Return status and body of an answer, without a server between."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of(body, headers), receive, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.batched
@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, GOOD, {}),
        (200, {"texts": ["good", "bad", 5]}, {}),
        (200, GOOD | {"explain": True, "trajectory": True}, {}),
        (404, GOOD | {"model": "none"}, {}),
        (409, GOOD | {"stop_at": 0.9}, {}),
        (413, {"text": "good " * 300}, {}),
        (415, GOOD, {b"content-encoding": b"gzip"}),
        (422, {"text": 5}, {}),
        (422, GOOD, {b"x-deadline-ms": b"soon"}),
    ],
)
def test_no_request_leaves_garbage_for_the_collector(
    app: FastAPI, status: int, body: dict[str, Any], headers: dict[bytes, bytes]
) -> None:
    """The service looks for it rarely, and what it held, such as bodies, would stay till then."""
    content = json.dumps(body).encode()

    async def run() -> int:
        for _ in range(3):  # what is kept for later is made now
            assert (await ask(entrance_of(app), content, headers))[0] == status
        gc.collect()
        gc.disable()
        try:
            for _ in range(REQUESTS):
                await ask(entrance_of(app), content, headers)
            return gc.collect()
        finally:
            gc.enable()

    assert asyncio.run(run()) < REQUESTS  # the event loop of a run itself leaves a few


@pytest.mark.batched
def test_a_body_that_is_here_is_not_waited_for(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.web.request_body.asyncio", None)  # which has the timers
    assert asyncio.run(ask(entrance_of(app), json.dumps(GOOD).encode(), {}))[0] == 200


def test_telemetry_of_fastapi_is_passed_by(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastAPI, "__call__", None)
    for path, method in (("/metrics", "GET"), ("/models", "GET"), ("/predict", "POST")):
        scope = scope_of(b"", {}) | {"path": path, "method": method}
        statuses: list[int] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message, statuses: list[int] = statuses) -> None:
            statuses.append(message.get("status", 0))

        asyncio.run(entrance_of(app)(scope, receive, send))
        assert statuses[0] == (400 if method == "POST" else 200)
