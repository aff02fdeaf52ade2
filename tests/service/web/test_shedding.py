"""What is rejected at its connection, and what is not."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from service.metrics import Metrics
from service.scheduling.scheduler import Scheduler
from service.settings import Settings
from service.web import shedding
from service.web.shedding import LATE, MANY, PAUSE, LoopLag, Shedder
from tests.service.web.live import exchange, serving

pytestmark = pytest.mark.medium

BODY = b'{"text": "good"}'
LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass
class Busy:
    """A scheduler's foresight: it has too much to do."""

    wait: int | None = 7
    has_work: bool = True
    asked: list[tuple[int, int, int, float]] = field(default_factory=list)

    def foresee(self, *, least: int, usual: int, coming: int, patience) -> int | None:
        self.asked.append((least, usual, coming, patience(0.0)))
        return self.wait


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Busy:
    busy = Busy()
    monkeypatch.setattr(Scheduler, "foresee", lambda _, **asked: busy.foresee(**asked))
    monkeypatch.setattr(Scheduler, "has_work", True)
    return busy


@pytest.fixture
def port(busy: Busy, store: Path) -> Iterator[int]:
    with serving(Settings(store=store, threads=1, client_seconds=0.5, deadline_ms=3_000)) as port:
        yield port


def post(*lines: str, path: str = "/predict", body: bytes = BODY, version: str = "1.1") -> bytes:
    head = [f"POST {path} HTTP/{version}", "Host: x", "Content-Type: application/json", *lines]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


def answers(port: int, *parts: bytes, pause: float = 0.0) -> list[tuple[int, bytes]]:
    """Return status and whole of each answer."""
    found = exchange(port, *parts, pause=pause).split(b"HTTP/1.1 ")[1:]
    return [(int(answer[:3]), answer) for answer in found]


def statuses(port: int, *parts: bytes, pause: float = 0.0) -> list[int]:
    return [status for status, _ in answers(port, *parts, pause=pause)]


class TestRejections:
    def test_they_say_why_and_when_to_come_back(self, port: int) -> None:
        (status, answer), (live, _) = answers(port, post(), LIVE)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert (status, live) == (429, 200)
        assert b"retry-after: 7" in head
        assert b"content-type: application/json" in head
        assert b"connection: close" not in head
        error = json.loads(body)["error"]
        assert (error["type"], error["retry_after"]) == ("overloaded", 7)

    @pytest.mark.parametrize("pause", [0.0, 0.05])
    def test_a_body_in_parts_is_read_first(self, pause: float, port: int) -> None:
        request = post(body=b'{"text": "%s"}' % (b"good " * 1_000))
        cuts = [0, 30, 200, 3_000, len(request)]
        parts = [request[start:end] for start, end in itertools.pairwise(cuts)]
        assert statuses(port, *parts, LIVE, pause=pause) == [429, 200]

    def test_one_after_the_other_and_at_once(self, port: int) -> None:
        assert statuses(port, *[post()] * 3, LIVE, pause=0.05) == [429, 429, 429, 200]
        assert statuses(port, post() * 40 + LIVE) == [429] * 40 + [200]

    def test_a_body_that_does_not_come(self, port: int) -> None:
        assert statuses(port, post()[:-3]) == [408]

    @pytest.mark.parametrize("last", [post("Connection: close"), post(version="1.0")])
    def test_the_last_of_a_connection(self, last: bytes, port: int) -> None:
        assert statuses(port, post(), last) == [429, 429]

    def test_are_counted(self, port: int) -> None:
        exchange(port, post(), post(), LIVE)
        exchange(port, b"no HTTP\r\n\r\n")
        ((_, answer),) = answers(port, LIVE.replace(b"/livez", b"/metrics"))
        lines = answer.decode().splitlines()
        assert 'gatewise_requests_total{method="POST",route="/predict",status="429"} 2.0' in lines
        assert 'gatewise_refusals_total{route="/predict",type="overloaded"} 2.0' in lines
        assert 'gatewise_refusals_total{route="unknown",type="malformed"} 1.0' in lines

    def test_the_deadline_is_that_of_the_request_or_the_usual(self, busy: Busy, port: int) -> None:
        body = b'{"text": "%s"}' % (b"x" * 1_588)
        exchange(port, post("X-Deadline-Ms: 250", body=body), post(), LIVE)
        assert busy.asked == [(100, 320, 0, 0.25), (1, 3, 0, 3.0)]


def test_a_proxy_may_take_the_prefix_off(busy: Busy, store: Path) -> None:
    with serving(Settings(store=store, threads=1, root_path="/gatewise")) as port:
        assert statuses(port, post(), post(path="/gatewise/predict"), LIVE) == [429, 429, 200]


HEADERS = [(b"content-length", b"1600")]


def make_shedder(busy: Busy) -> Shedder:
    return Shedder(busy, metrics=Metrics(), routes={b"/predict": "/predict"}, seconds=2.0)


def test_what_is_let_through_counts_until_the_scheduler_knows_of_it() -> None:
    busy = Busy(wait=None)
    shedder = make_shedder(busy)

    async def test() -> None:
        for _ in range(3):
            assert shedder.shed(b"/predict", HEADERS, busy=0) is None
        await asyncio.sleep(0)  # in which what was let through comes to the scheduler
        assert shedder.shed(b"/predict", HEADERS, busy=0) is None

    asyncio.run(test())
    assert [coming for _, _, coming, _ in busy.asked] == [0, 320, 640, 0]


@pytest.mark.parametrize("second", [b"9000", b"soon"])
def test_of_several_deadlines_the_first_counts(second: bytes) -> None:
    """As in the application."""
    busy = Busy()
    given = [(b"x-deadline-ms", b"250"), (b"x-deadline-ms", second)]

    async def test() -> None:
        assert make_shedder(busy).shed(b"/predict", HEADERS + given, busy=0) is not None

    asyncio.run(test())
    assert [seconds for *_, seconds in busy.asked] == [0.25]


@pytest.mark.parametrize(("busy", "asked"), [(0, 0), (MANY - 1, 0), (MANY, 1)])
def test_nothing_is_looked_at_while_nothing_waits(busy: int, asked: int) -> None:
    scheduler = Busy(wait=None, has_work=False)
    shedder = make_shedder(scheduler)

    async def test() -> None:
        assert shedder.shed(b"/predict", HEADERS, busy=busy) is None

    asyncio.run(test())
    assert len(scheduler.asked) == asked


@pytest.mark.parametrize(("busy", "retry_after"), [(MANY, 1), (MANY - 1, None)])
def test_an_event_loop_that_comes_late_rejects_where_many_are_there(
    busy: int, retry_after: int | None
) -> None:
    shedder = make_shedder(Busy(wait=None))

    async def test() -> None:
        assert shedder.shed(b"/predict", HEADERS, busy=busy) is None
        time.sleep(PAUSE + 2 * LATE)
        rejection = shedder.shed(b"/predict", HEADERS, busy=busy)
        assert (rejection and rejection.retry_after) == retry_after

    asyncio.run(test())


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (200, post("Origin: https://example.org")),
        (
            200,
            post("Transfer-Encoding: chunked")
            .replace(b"Content-Length: 16\r\n", b"")
            .replace(BODY, b"10\r\n" + BODY + b"\r\n0\r\n\r\n"),
        ),
        (200, post(body=BODY + b" " * shedding.LONGEST_BODY)),
        (422, post("X-Deadline-Ms: soon")),
        (400, post(body=b"")),
        (404, post(path="/nowhere")),
        (307, post(path="/predict/")),
        (200, post(path="/predict?a")),
        (405, post().replace(b"POST", b"PUT", 1)),
    ],
)
def test_what_the_application_has_to_answer(status: int, request_: bytes, port: int) -> None:
    assert statuses(port, request_, LIVE) == [status, 200]


def test_who_waits_to_be_told_to_send(port: int) -> None:
    head = post("Expect: 100-continue").removesuffix(BODY)
    assert statuses(port, head, BODY + LIVE, pause=0.2) == [100, 200, 200]


class TestLoopLag:
    def test_a_loop_that_is_held_up(self) -> None:
        async def test() -> None:
            lag = LoopLag()
            assert not lag.is_late()
            time.sleep(PAUSE + 2 * LATE)
            assert lag.is_late()  # while it is
            await asyncio.sleep(0.01)
            assert lag.is_late()
            await asyncio.sleep(3 * PAUSE)
            assert not lag.is_late()

        asyncio.run(test())

    def test_a_loop_that_was_held_up_unseen(self) -> None:
        async def test() -> None:
            lag = LoopLag()
            lag.is_late()
            await asyncio.sleep(3 * PAUSE)
            time.sleep(PAUSE + 2 * LATE)
            assert not lag.is_late()

        asyncio.run(test())
