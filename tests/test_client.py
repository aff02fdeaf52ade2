"""The client against the real application, and against services in trouble."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import gatewise_client
from gatewise_client import AsyncClient, Client, ServiceError
from service.engines import loading as opening
from service.settings import Settings
from service.web.app import create_app
from tests.versions import CountingEngine, publish

PIECES = ["a go", "od film", " not ba", "d!"]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setattr(opening, "load_engine", lambda *_, **__: CountingEngine())
    publish(tmp_path)
    app = create_app(Settings(store=tmp_path, threads=1, max_chars=100))
    app.state.service.catalog.refresh()
    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[Client]:
    with TestClient(app) as http:
        yield Client("http://testserver", http=http)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass quickly, and write down how much was waited."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(gatewise_client.time, "sleep", waited.append)
    monkeypatch.setattr(gatewise_client.asyncio, "sleep", sleep)
    return waited


def answering(*answers: httpx2.Response | Exception) -> tuple[Client, list[httpx2.Request]]:
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
    return Client("http://service", http=http, attempts=3), asked


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

    @pytest.mark.parametrize("gap", [None, float("nan"), 5])
    def test_a_gap_among_several_texts_fails_alone(self, client: Client, gap: Any) -> None:
        one, error, other = client.predict_batch(["good", gap, "bad"])
        assert (one["label"], other["label"]) == ("pos", "neg")
        assert (error.type, error.field) == ("invalid", "texts.1")

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


class TestTrouble:
    def test_a_busy_service_is_given_the_time_it_asks_for(self, pauses: list[float]) -> None:
        busy = httpx2.Response(429, headers={"Retry-After": "7"})
        client, asked = answering(busy, busy, httpx2.Response(200, json=OK))
        assert client.predict("a") == OK
        assert pauses == [7, 7]
        assert asked[0].headers["x-deadline-ms"] == "30000"

    def test_pauses_grow_where_none_is_named(self, pauses: list[float]) -> None:
        lost = httpx2.ConnectError("nobody there")
        client, _ = answering(lost, httpx2.Response(503), httpx2.Response(200, json=OK))
        assert client.predict("a") == OK
        assert 0.05 <= pauses[0] <= 0.1 <= pauses[1] <= 0.2

    @pytest.mark.parametrize(
        ("timeout", "header"),
        [(0.5, "500"), (1e-9, "1"), (4_000.0, "3600000"), (float("inf"), "3600000"), (None, None)],
    )
    def test_the_deadline_is_one_that_a_service_takes(
        self, timeout: float | None, header: str | None
    ) -> None:
        asked: list[httpx2.Request] = []

        def answer(request: httpx2.Request) -> httpx2.Response:
            asked.append(request)
            return httpx2.Response(200, json=OK)

        http = httpx2.Client(transport=httpx2.MockTransport(answer))
        Client("http://service", http=http, timeout=timeout).predict("good")
        assert asked[0].headers.get("X-Deadline-Ms") == header

    @pytest.mark.parametrize("kind", [Client, AsyncClient])
    def test_an_option_that_is_none_is_named(self, kind: type) -> None:
        with pytest.raises(TypeError, match="unknown options: modle; there are model, version"):
            kind(modle="imdb-lstm")

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
        with pytest.raises(ServiceError, match="not here"):
            client.predict("a")

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
