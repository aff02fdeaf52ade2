"""A proxy and the services behind it read the same bytes in the same way.

Whoever finds bytes that they read in different ways can have the answer to a request of his own
given to another client (request smuggling). So clients that mean no harm ask all the time, over
connections of their own. Each has to get the answer to its own question.
"""

import http.client
import json
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.threads import Threads
from tests.effort import Effort
from tests.promises.proxies import PROXIES, is_installed, proxying
from tests.promises.raw_requests import RAW, mutate
from tests.promises.shipped import serving_shipped
from tests.promises.test_raw_http import SETTINGS, send_raw

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SERVICES = 3
ASKING = 4  # clients that mean no harm
# Of a proxy that does not know a version, a method or a coding, or whose service said nothing.
OF_PROXIES = {501, 502, 505}


@pytest.fixture(params=sorted(PROXIES))
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Three services behind a proxy, which is not ours."""
    if not is_installed(request.param):
        pytest.skip(f"{request.param} is not installed")
    with ExitStack() as stack:
        servers = [stack.enter_context(serving_shipped(**SETTINGS)) for _ in range(SERVICES)]
        with proxying(request.param, tmp_path, [server.port for server in servers]) as port:
            yield port
        for server in servers:
            assert "Traceback" not in "".join(server.log)
            assert server.predict(text="good")[0] == 200


class Asking(Threads):
    """Asks on and on, each time something else, and notes whose answers it got.

    Args:
        port: Of the proxy.
        name: Of the client.
    """

    def __init__(self, port: int, name: str) -> None:
        self.asked = 0
        self.strange: list[str] = []
        self._port = port
        self._name = name
        super().__init__(self._work)

    def _work(self) -> None:
        while not self.over.is_set():
            try:
                self._ask()
            except Exception as error:  # told by the test, which a thread cannot fail
                self.strange.append(repr(error))
            self.asked += 1

    def _ask(self) -> None:
        wanted = f"{self._name}-{self.asked}"
        words = "good " * (1 + self.asked % 7)
        headers = {"X-Request-Id": wanted, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("POST", "/predict", json.dumps({"text": words}), headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        finally:
            connection.close()
        given = answer.headers["X-Request-Id"]
        if answer.status != 200 or given != wanted or body["tokens"] != 1 + self.asked % 7:
            self.strange.append(f"{wanted}: {answer.status} {given} {body}")


def statuses_of(port: int, sent: bytes) -> list[int]:
    """Return those of the answers. A proxy may answer HTTP/0.9, which has none."""
    return list(map(int, re.findall(rb"HTTP/1\.[01] (\d{3})", send_raw(port, sent))))


def test_nobody_gets_what_another_asked_for(port: int, effort: Effort) -> None:
    draw = random.Random(27)
    shapes = [raw.sent for raw in RAW]
    shapes += [mutate(draw.choice(shapes), draw) for _ in range(effort(short=100, long=10_000))]
    clients = [Asking(port, f"client-{number}") for number in range(ASKING)]
    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        for client in clients:
            stack.enter_context(client)
        for sent, given in zip(shapes, pool.map(partial(statuses_of, port), shapes), strict=True):
            assert all(status < 500 or status in OF_PROXIES for status in given), (sent, given)
            assert len(given) <= sent.count(b"HTTP/1") + 1, (sent, given)
    for client in clients:
        assert client.asked > 10
        assert not client.strange, client.strange[:5]
