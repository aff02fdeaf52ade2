"""Pages of other origins may ask where the settings say so, and read why they are rejected."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from service.answering.answerer import Answerer
from service.errors import Overloaded
from service.settings import Settings
from service.web.app import create_app

OURS = "https://www.example.com"
THEIRS = "https://other.example"
EXPOSED = {"X-Request-Id", "Server-Timing", "Retry-After"}


def started(store: Path, **settings: object) -> Iterator[TestClient]:
    app = create_app(Settings(store=store, threads=1, max_body_bytes=2_000, **settings))
    app.state.service.catalog.refresh()
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(params=["", "/gatewise"])
def shared(store: Path, request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """A service that pages of two origins may ask, with and without a path prefix."""
    origins = f"{OURS}, http://localhost:3000"
    yield from started(store, cors_origins=origins, root_path=request.param)


@pytest.fixture
def public(store: Path) -> Iterator[TestClient]:
    """A service that all pages may ask."""
    yield from started(store, cors_origins="*")


def preflight(client: TestClient, path: str, *, origin: str = OURS, method: str = "POST"):
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type,x-deadline-ms",
    }
    return client.options(path, headers=asked)


def test_no_other_origin_is_allowed_by_itself(client: TestClient) -> None:
    for answer in (
        client.post("/predict", json={"text": "good"}, headers={"Origin": OURS}),
        preflight(client, "/predict"),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/predict", "/stream", "/models", "/explanations"])
@pytest.mark.parametrize("origin", [OURS, "http://localhost:3000"])
def test_a_preflight_is_answered(path: str, origin: str, shared: TestClient) -> None:
    answer = preflight(shared, path, origin=origin, method="GET" if "s" in path[-1] else "POST")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "x-deadline-ms" in answer.headers["access-control-allow-headers"]
    assert "x-request-id" in answer.headers


@pytest.mark.parametrize(
    "origin", [THEIRS, "null", f"{OURS}.evil.example", "http://www.example.com"]
)
def test_other_origins_are_not_allowed(origin: str, shared: TestClient) -> None:
    assert preflight(shared, "/predict", origin=origin).status_code == 400
    answer = shared.post("/predict", json={"text": "good"}, headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_all_origins_may_be_allowed(public: TestClient) -> None:
    for origin in (OURS, THEIRS, "null"):
        answer = public.post("/predict", json={"text": "good"}, headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert preflight(public, "/predict", origin=origin).status_code == 200


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("/predict", {"json": {"text": "good"}}, 200),
        ("/stream", {"json": {"text": "good"}}, 200),
        ("/predict", {"content": b"{"}, 415),
        ("/predict", {"json": {}}, 422),
        ("/predict", {"json": {"text": "a" * 3_000}}, 413),
        ("/predict", {"json": {"text": "a", "model": "other"}}, 404),
        ("/nowhere", {"json": {}}, 404),
        ("/livez", {"json": {}}, 405),
    ],
)
def test_answers_and_errors_can_be_read(
    path: str, given: dict, status: int, shared: TestClient
) -> None:
    answer = shared.post(path, headers={"Origin": OURS}, **given)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == OURS
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert exposed == EXPOSED


@pytest.mark.parametrize(
    ("error", "status"), [(Overloaded("too much", retry_after=3), 429), (RuntimeError("bug"), 500)]
)
def test_overload_and_faults_can_be_read(
    error: Exception, status: int, shared: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Answerer, "answer", fail)
    answer = shared.post("/predict", json={"text": "good"}, headers={"Origin": OURS})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == OURS
    assert answer.headers.get("retry-after") == ("3" if status == 429 else None)
    assert "x-request-id" in answer.headers


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("https://A.example/", ("https://a.example",)),
        ("https://a.example:443,http://b.example:80", ("https://a.example", "http://b.example")),
        (" http://localhost:3000 ,, ", ("http://localhost:3000",)),
        ("http://[::1]:3000", ("http://[::1]:3000",)),
        ("tauri://localhost", ("tauri://localhost",)),
        ("*", ("*",)),
        ("", ()),
    ],
)
def test_origins_are_written_as_browsers_send_them(given: str, origins: tuple) -> None:
    assert Settings(cors_origins=given).cors_origins == origins


@pytest.mark.parametrize(
    "given",
    [
        *(
            "localhost:3000",
            "www.example.com",
            "https://*.example.com",
            "https://a.example/app",
            "null",
        ),
        *(
            "https://a.example:port",
            "https://user@a.example",
            "https://a.example;https://b.example",
        ),
    ],
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="is no origin, such as https://www.example.com"):
        Settings(cors_origins=given)
