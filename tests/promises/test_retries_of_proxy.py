"""The proxy of `deploy/proxy` tries elsewhere only what another replica may answer."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

from service.errors import Unavailable, VersionFailed
from service.web.errors import STATUSES
from tests.promises.proxies import has_caddy_of, proxying_as_deployed

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

KNOWS_RETRIES = (2, 11)  # Caddy; older ones cannot look at answers before they try again
BROKEN = {"text": "good", "model": "broken"}


class Replica:
    """Answers as a service does that may still load, and that has one version that cannot."""

    def __init__(self) -> None:
        replica = self
        self.loading = False
        self.taken = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                replica.taken += 1
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                error = Unavailable if replica.loading else VersionFailed
                fails = replica.loading or json.loads(asked) == BROKEN
                self.send_response(STATUSES[error] if fails else 200)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"ours")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def replicas() -> Iterator[list[Replica]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Replica()) for _ in range(2)]


@pytest.fixture
def port(replicas: list[Replica], tmp_path: Path) -> Iterator[int]:
    if not has_caddy_of(KNOWS_RETRIES):
        pytest.skip(f"Caddy {'.'.join(map(str, KNOWS_RETRIES))} or later is not installed")
    with proxying_as_deployed(tmp_path, [each.port for each in replicas]) as port:
        yield port


def ask(port: int, question: object) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST", "/predict", json.dumps(question))
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_version_that_cannot_be_loaded_costs_no_other_a_request(
    port: int, replicas: list[Replica]
) -> None:
    for count in range(1, 11):
        assert ask(port, BROKEN) == (500, b"ours")
        assert sum(each.taken for each in replicas) == 2 * count - 1
        assert ask(port, {"text": "good"}) == (200, b"ours")


def test_a_replica_that_loads_costs_no_request(port: int, replicas: list[Replica]) -> None:
    replicas[0].loading = True
    assert {ask(port, {"text": "good"}) for _ in range(20)} == {(200, b"ours")}
    assert 0 < replicas[0].taken < 10  # it is left out for a while after each
