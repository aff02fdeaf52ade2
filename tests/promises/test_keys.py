"""Keys change under load without a refused request, and their rates are one for all workers."""

import http.client
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.web.access.keys import Key, Rate, Scope, editing
from tests.e2e.server import ROOT, Server, running
from tests.e2e.threads import Threads
from tests.effort import Effort

SHIPPED = ROOT / "models" / "store"
WORKERS = 4
RATE = Rate(tokens_per_second=400, burst_tokens=400)  # far less than can be read
TEXT = "a good film, and not a short one"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


def create(key_file: Path, **more: Rate) -> tuple[Key, str]:
    with editing(key_file) as editor:
        return editor.create("load", scopes=frozenset([Scope.PREDICT]), **more)


@pytest.fixture(scope="module")
def server(key_file: Path) -> Iterator[Server]:
    create(key_file)
    settings = {"GATEWISE_WORKERS": str(WORKERS), "GATEWISE_KEYS": str(key_file)}
    with running(SHIPPED, GATEWISE_MODEL="imdb-gru", **settings) as server:
        server.wait_until_started(WORKERS)
        yield server


class Clients(Threads):
    """Ask over connections of their own, so that all workers are asked.

    Args:
        server: The service.
        secret: The key that they show; it may be replaced while they ask.
        count: Connections.
    """

    def __init__(self, server: Server, secret: str, *, count: int = 8) -> None:
        self.secret = secret
        self.answers: list[tuple[float, int, int]] = []  # when it was there, status, tokens
        self._server = server
        super().__init__(*[self._ask] * count)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        body = json.dumps({"text": TEXT})
        while not self.over.is_set():
            headers = {"content-type": "application/json", "x-api-key": self.secret}
            connection.request("POST", "/predict", body, headers)
            answer = connection.getresponse()
            found = json.loads(answer.read())
            self.answers.append((time.monotonic(), answer.status, found.get("tokens", 0)))
            if answer.status != 200:
                time.sleep(0.002)
        connection.close()


def test_a_rate_is_exact_over_all_workers(server: Server, key_file: Path, effort: Effort) -> None:
    _, secret = create(key_file, rate=RATE)
    _wait_until_known(server, secret)
    time.sleep(RATE.burst_tokens / RATE.tokens_per_second)  # until the bucket is full again
    started = time.monotonic()
    with Clients(server, secret) as clients:
        time.sleep(effort(short=4, long=60))
    seconds = max(at for at, *_ in clients.answers) - started
    read = sum(tokens for *_, tokens in clients.answers)
    statuses = {status for _, status, _ in clients.answers}
    assert statuses == {200, 429}, "the clients must ask for more than there is"
    may = RATE.burst_tokens + RATE.tokens_per_second * seconds
    assert 0.98 * may <= read <= 1.02 * may


def test_keys_rotate_under_load_without_a_refused_request(
    server: Server, key_file: Path, effort: Effort
) -> None:
    key, secret = create(key_file)
    _wait_until_known(server, secret)
    with Clients(server, secret, count=4) as clients:
        for _ in range(effort(short=2, long=20)):
            with editing(key_file) as editor:
                key, newer = editor.rotate(key.id, grace=timedelta(minutes=1))
            _wait_until_known(server, newer)
            clients.secret = newer
    assert {status for _, status, _ in clients.answers} == {200}
    assert len(clients.answers) > 20


def test_a_revoked_key_opens_nothing_at_any_worker(server: Server, key_file: Path) -> None:
    key, secret = create(key_file)
    _wait_until_known(server, secret)
    with editing(key_file) as editor:
        editor.revoke(key.id)
    deadline = time.monotonic() + 30
    while set(_statuses(server, secret)) != {401}:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for method, path in [
        ("GET", "/models"),
        ("GET", "/metrics"),
        ("POST", "/admin/models/x/promote"),
    ]:
        assert _ask(server, method, path, secret) == 401


def _wait_until_known(server: Server, secret: str) -> None:
    """Wait until all workers have read the file of keys again."""
    deadline = time.monotonic() + 30
    while set(_statuses(server, secret)) != {200}:
        assert time.monotonic() < deadline, "".join(server.log)
        time.sleep(0.1)


def _statuses(server: Server, secret: str) -> list[int]:
    """Return what many connections get, which the system spreads over the workers."""
    return [_ask(server, "GET", "/models", secret) for _ in range(10 * WORKERS)]


def _ask(server: Server, method: str, path: str, secret: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, headers={"authorization": f"Bearer {secret}"})
        return connection.getresponse().status
    finally:
        connection.close()
