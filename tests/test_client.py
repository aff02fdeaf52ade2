"""The client against the real application, and against services in trouble."""

import asyncio
import json
import pickle
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from copy import copy, deepcopy
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import gatewise_client
from gatewise_client import AsyncClient, Client, ServiceError
from service.settings import Settings
from service.web.access.keys import Scope, editing
from service.web.app import create_app
from tests.versions import publish, serve_with_counting_engine

PIECES = ["a go", "od film", " not ba", "d!"]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    serve_with_counting_engine(monkeypatch)
    publish(tmp_path)
    app = create_app(Settings(store=tmp_path, threads=1, max_chars=100))
    app.state.service.catalog.refresh()
    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[Client]:
    with TestClient(app) as http:
        yield Client("http://testserver", http=http)


def test_a_key_is_shown_where_one_is_given(tmp_path: Path, app: FastAPI) -> None:
    with editing(tmp_path / "keys.json") as editor:
        _, secret = editor.create("web", scopes=frozenset([Scope.PREDICT]))
    guarded = create_app(Settings(store=tmp_path, threads=1, keys=tmp_path / "keys.json"))
    guarded.state.service.catalog.refresh()
    with TestClient(guarded) as http:
        client = Client("http://testserver", http=http, key=secret)
        assert client.predict("good")["label"] == "pos"
        assert [each["label"] for each in client.stream(PIECES)]
        with pytest.raises(ServiceError) as refused:
            Client("http://testserver", http=http).predict("good")
    assert (refused.value.status, refused.value.type) == (401, "unauthorized")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass quickly, and write down how much was waited."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(gatewise_client.time, "sleep", waited.append)
    monkeypatch.setattr(gatewise_client.asyncio, "sleep", sleep)
    return waited


def answering(
    *answers: httpx2.Response | Exception, timeout: float | None = 30.0
) -> tuple[Client, list[httpx2.Request]]:
    """Return a client to whom these answers are given in turn, and what it asks."""
    asked: list[httpx2.Request] = []
    rest = iter(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        found = next(rest)
        if isinstance(found, Exception):
            raise found
        return found

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    return Client("http://service", http=http, attempts=3, timeout=timeout), asked


class TestAnswers:
    def test_characters_cut_in_two(self, client: Client) -> None:
        rocket = "\N{ROCKET}".encode("utf-16-le")
        halves = [half.decode("utf-16-le", "surrogatepass") for half in (rocket[:2], rocket[2:])]
        *_, last = client.stream(["good ", *halves])
        assert last["tokens"] == client.predict("good \N{ROCKET}")["tokens"]

    def test_a_text(self, client: Client) -> None:
        prediction = client.predict("good film")
        assert (prediction["label"], prediction["tokens"]) == ("pos", 2)

    def test_why(self, client: Client) -> None:
        prediction = client.predict("good. bad.", explain=True, trajectory=True)
        assert len(prediction["explanation"]["tokens"]) == 4
        assert len(prediction["trajectory"]) == 2

    def test_several_texts(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gatewise_client, "BATCH_TEXTS", 2)
        texts = ["good", "bad", "x" * 101, "good good", ""]
        found = client.predict_batch(iter(texts))
        assert [f if isinstance(f, ServiceError) else f["tokens"] for f in found[:2]] == [1, 1]
        assert isinstance(found[2], ServiceError)
        assert (found[2].type, found[2].field) == ("too_large", "texts.0")
        assert len(found) == len(texts)
        assert client.predict_batch([]) == []

    @pytest.mark.parametrize("gap", [None, float("nan"), 5, b"bytes", object(), [[]]])
    def test_a_gap_among_several_texts_fails_alone(self, client: Client, gap: Any) -> None:
        one, error, other = client.predict_batch(["good", gap, "bad"])
        assert (one["label"], other["label"]) == ("pos", "neg")
        assert (error.type, error.field) == ("invalid", "texts.1")

    def test_texts_that_are_too_large_together_go_apart(self, app: FastAPI, tmp_path: Path) -> None:
        small = create_app(Settings(store=tmp_path, threads=1, max_body_bytes=200))
        small.state.service.catalog.refresh()
        texts = ["good", "\x01" * 60, "bad", "good " * 20, "\ud83d", "good film"]
        with TestClient(small) as http:
            client = Client("http://testserver", http=http, model="toy")
            found = client.predict_batch(texts)
        assert [
            each.type if isinstance(each, ServiceError) else each["tokens"] for each in found
        ] == [1, "too_large", 1, 20, "invalid", 2]

    def test_batches_are_cut_by_bytes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gatewise_client, "BATCH_BYTES", 100)
        texts = ["\x01" * 10, "\N{ROCKET}" * 10, "\ud83d", "x" * 99, "", "y"]
        batches = list(gatewise_client._batches(texts))
        assert [json.loads(each) for batch in batches for each in batch] == texts
        assert [len(batch) for batch in batches] == [1, 2, 1, 2]

    def test_a_stream(self, client: Client) -> None:
        found = list(client.stream(PIECES))
        texts = ["".join(PIECES[: end + 1]) for end in range(len(PIECES))]
        assert found == [client.predict(text) for text in texts]

    def test_a_stream_outlives_its_version(self, app: FastAPI, tmp_path: Path) -> None:
        with TestClient(app) as http:
            stream = Client("http://testserver", http=http).stream(PIECES)
            assert next(stream)["version"] == 1
            for version in (2, 3):
                publish(tmp_path, version=version)
            app.state.service.catalog.refresh()
            found = list(stream)
        assert [(f["version"], f["tokens"]) for f in found] == [(3, 3), (3, 5), (3, 6)]

    def test_asyncio(self, app: FastAPI) -> None:
        async def pieces() -> AsyncIterator[str]:
            for piece in PIECES:
                yield piece

        async def run() -> tuple[Any, ...]:
            transport = httpx2.ASGITransport(app)
            http = httpx2.AsyncClient(transport=transport)
            app.state.service.scheduler.start()
            async with AsyncClient("http://testserver", http=http, model="toy") as client:
                one = await client.predict("good film")
                several = await client.predict_batch(["good", "bad"])
                streamed = [found async for found in client.stream(pieces())]
                again = [found async for found in client.stream(PIECES)]
            app.state.service.scheduler.shutdown()
            return one, several, streamed, again

        one, several, streamed, again = asyncio.run(run())
        assert one["label"] == "pos"
        assert [found["label"] for found in several] == ["pos", "neg"]
        assert streamed == again
        assert [found["tokens"] for found in streamed] == [2, 3, 5, 6]


OK = {"label": "pos"}


def in_seconds(seconds: float) -> str:
    """Return a date as headers have it."""
    return formatdate(time.time() + seconds, usegmt=True)


class Named(BaseHTTPRequestHandler):
    """Answers with the URL that it is asked for, as a proxy and a server see it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"label": self.path}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class TestProxies:
    """The variables of a company's proxy, which cannot lead to this machine."""

    @pytest.fixture
    def port(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
        """A server, which is the proxy of the environment too."""
        with ThreadingHTTPServer(("127.0.0.1", 0), Named) as server:
            for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(variable, f"http://127.0.0.1:{server.server_port}")
            for variable in ("NO_PROXY", "no_proxy"):
                monkeypatch.delenv(variable, raising=False)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield server.server_port
            server.shutdown()
            thread.join()

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1.2.3"])
    def test_none_stands_before_this_machine(self, host: str, port: int) -> None:
        url = f"http://{host}:{port}"
        if host == "127.1.2.3":  # nobody listens there, but the proxy would answer
            with pytest.raises(httpx2.ConnectError):
                Client(url, attempts=1).predict("a")
            return
        with Client(url) as client:
            assert client.predict("a")["label"] == "/predict"

    def test_none_for_asyncio_either(self, port: int) -> None:
        async def run() -> Any:
            async with AsyncClient(f"http://127.0.0.1:{port}") as client:
                return await client.predict("a")

        assert asyncio.run(run())["label"] == "/predict"

    def test_others_are_reached_through_it(self, port: int) -> None:
        with Client("http://service.example/below") as client:
            assert client.predict("a")["label"] == "http://service.example/below/predict"

    def test_who_gives_a_client_decides(self, port: int) -> None:
        with Client("http://localhost:1", http=httpx2.Client()) as client:
            assert client.predict("a")["label"] == "http://localhost:1/predict"


@pytest.mark.parametrize("make", [lambda e: pickle.loads(pickle.dumps(e)), copy, deepcopy])
def test_an_error_survives_the_way_to_another_process(
    make: Callable[[ServiceError], ServiceError],
) -> None:
    error = ServiceError(429, type="overloaded", message="too much", field="text", retry_after=2)
    error.add_note("the third batch")
    again = make(error)
    assert (type(again), str(again), vars(again)) == (ServiceError, str(error), vars(error))
    assert str(again) == "too much (overloaded)"


class TestTrouble:
    def test_a_busy_service_is_given_the_time_it_asks_for(self, pauses: list[float]) -> None:
        busy = httpx2.Response(429, headers={"Retry-After": "7"})
        client, asked = answering(busy, busy, httpx2.Response(200, json=OK))
        assert client.predict("a") == OK
        assert pauses == [7, 7]
        assert 28_000 < int(asked[0].headers["x-deadline-ms"]) <= 29_500

    def test_pauses_grow_where_none_is_named(self, pauses: list[float]) -> None:
        lost = httpx2.ConnectError("nobody there")
        client, _ = answering(lost, httpx2.Response(503), httpx2.Response(200, json=OK))
        assert client.predict("a") == OK
        assert 0.05 <= pauses[0] <= 0.1 <= pauses[1] <= 0.2

    @pytest.mark.parametrize(
        ("timeout", "most"),
        [(0.5, 450), (1e-9, 1), (4_000.0, 3_600_000), (float("inf"), 3_600_000)],
    )
    def test_the_deadline_is_one_that_a_service_takes(self, timeout: float, most: int) -> None:
        client, asked = answering(httpx2.Response(200, json=OK), timeout=timeout)
        client.predict("good")
        assert 0.5 * most < int(asked[0].headers["X-Deadline-Ms"]) <= most

    def test_without_a_timeout_there_is_no_deadline(self) -> None:
        client, asked = answering(httpx2.Response(200, json=OK), timeout=None)
        client.predict("good")
        assert "X-Deadline-Ms" not in asked[0].headers
        assert set(asked[0].extensions["timeout"].values()) == {None}

    def test_what_the_service_says_at_the_deadline_is_waited_for(self) -> None:
        client, asked = answering(httpx2.Response(200, json=OK), timeout=2.0)
        client.predict("good")
        waits = asked[0].extensions["timeout"]  # not those of the HTTP client, which was given
        assert int(asked[0].headers["X-Deadline-Ms"]) / 1e3 < waits["read"] - 0.1
        assert waits["read"] <= 2

    @pytest.mark.parametrize(
        "outcome",
        [httpx2.Response(504), httpx2.ReadTimeout("nothing came")],
        ids=["504", "silence"],
    )
    def test_the_same_work_is_not_sent_again_when_time_is_up(
        self, outcome: httpx2.Response | Exception, pauses: list[float]
    ) -> None:
        client, asked = answering(outcome)
        with pytest.raises((ServiceError, httpx2.ReadTimeout)):
            client.predict("a")
        assert (len(asked), pauses) == (1, [])

    def test_all_attempts_have_the_time_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []
        clock = SimpleNamespace(
            sleep=slept.append, monotonic=lambda: 100 + sum(slept), time=time.time
        )
        monkeypatch.setattr(gatewise_client, "time", clock)
        busy = httpx2.Response(429, headers={"Retry-After": "4"})
        client, asked = answering(busy, busy, busy, timeout=10.0)
        client._attempts = 9
        with pytest.raises(ServiceError):
            client.predict("a")
        assert slept == [4, 4]
        assert [each.headers["X-Deadline-Ms"] for each in asked] == ["9500", "5500", "1800"]
        assert [each.extensions["timeout"]["read"] for each in asked] == [10, 6, 2]

    @pytest.mark.parametrize("kind", [Client, AsyncClient])
    def test_an_option_that_is_none_is_named(self, kind: type) -> None:
        with pytest.raises(
            TypeError, match="unknown options: modle; there are key, model, version"
        ):
            kind(modle="imdb-lstm")

    def test_an_url_of_no_protocol_is_told_at_once(self, pauses: list[float]) -> None:
        with pytest.raises(httpx2.UnsupportedProtocol):
            Client("127.0.0.1:8000").predict("a")
        assert not pauses

    def test_it_does_not_try_for_ever(self, pauses: list[float]) -> None:
        client, asked = answering(*[httpx2.ConnectError("nobody there")] * 9)
        with pytest.raises(httpx2.ConnectError):
            client.predict("a")
        assert len(asked) == 3

    def test_what_is_wrong_is_not_tried_again(self, pauses: list[float]) -> None:
        error = {"type": "not_found", "message": "no model 'x'", "field": "model"}
        client, asked = answering(httpx2.Response(404, json={"error": error}))
        with pytest.raises(ServiceError, match="no model 'x'") as raised:
            client.predict("a")
        assert (raised.value.status, raised.value.field) == (404, "model")
        assert (len(asked), pauses) == (1, [])

    def test_somebody_else_answers(self, pauses: list[float]) -> None:
        client, _ = answering(httpx2.Response(404, text="<html>not here</html>"))
        with pytest.raises(ServiceError, match="not the service answered: <html>not here"):
            client.predict("a")

    @pytest.mark.parametrize(
        ("content", "media_type"),
        [("<html>please log in</html>", "text/html"), ("", "text/plain"), ('{"label": "p', "")],
        ids=["a page", "nothing", "half an answer"],
    )
    def test_somebody_else_answers_as_if_all_were_well(
        self, content: str, media_type: str, pauses: list[float]
    ) -> None:
        page = httpx2.Response(200, text=content, headers={"content-type": media_type})
        client, asked = answering(page)
        with pytest.raises(ServiceError, match="not the service answered: ") as raised:
            client.predict("a")
        assert (raised.value.status, len(asked)) == (200, 1)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    @pytest.mark.parametrize(
        ("location", "url"),
        [
            ("https://service/predict", "https://service"),
            ("https://service.example/gatewise/predict", "https://service.example/gatewise"),
            ("/below/predict", "http://service/below"),
            ("https://login.example/?next=x", "https://login.example/?next=x"),
        ],
    )
    def test_a_redirect_names_the_url_to_give(
        self, status: int, location: str, url: str, pauses: list[float]
    ) -> None:
        page = "<html><title>Moved</title>"
        client, _ = answering(httpx2.Response(status, text=page, headers={"location": location}))
        with pytest.raises(ServiceError) as raised:
            client.predict("a")
        assert f"it redirects to {url}; give the client this URL" in str(raised.value)

    @pytest.mark.parametrize("named", ["61", "3600", "999999999999", 86_400])
    @pytest.mark.parametrize("status", [429, 503])
    def test_nobody_sleeps_for_hours(
        self, status: int, named: str | int, pauses: list[float]
    ) -> None:
        told = in_seconds(named) if isinstance(named, int) else named
        busy = httpx2.Response(status, headers={"Retry-After": told})
        client, asked = answering(busy, timeout=None)
        with pytest.raises(ServiceError) as raised:
            client.predict("a")
        assert (len(asked), pauses) == (1, [])
        assert raised.value.retry_after is not None
        assert raised.value.retry_after > 60

    @pytest.mark.parametrize(
        ("named", "least", "most"),
        [
            ("60", 60, 60),
            (30, 20, 31),
            (-30, 0.05, 0.1),
            ("0", 0.05, 0.1),
            ("soon", 0.05, 0.1),
            ("-5", 0.05, 0.1),
            ("", 0.05, 0.1),
        ],
    )
    def test_a_time_may_be_a_date(
        self, named: str | int, least: float, most: float, pauses: list[float]
    ) -> None:
        # A date is made here: between the collection of a test and its run minutes may pass.
        told = in_seconds(named) if isinstance(named, int) else named
        busy = httpx2.Response(503, headers={"Retry-After": told})
        client, _ = answering(busy, httpx2.Response(200, json=OK), timeout=None)
        assert client.predict("a") == OK
        assert least <= pauses[0] <= most

    def test_asyncio_waits_too(self, pauses: list[float]) -> None:
        answers = iter([httpx2.Response(429, headers={"Retry-After": "3"}), OK])

        def answer(_: httpx2.Request) -> httpx2.Response:
            found = next(answers)
            return found if isinstance(found, httpx2.Response) else httpx2.Response(200, json=found)

        async def run() -> Any:
            http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
            async with AsyncClient("http://service", http=http) as client:
                return await client.predict("a")

        assert asyncio.run(run()) == OK
        assert pauses == [3]
