"""Every route asks for the key that opens it, before anything else is done."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from service.settings import Settings
from service.web.access.guard import scope_of
from service.web.access.keys import Key, Rate, Scope, editing
from service.web.app import create_app

OPEN = {"/", "/livez", "/readyz", "/docs", "/explanations", "/openapi.json", "/page/page.js"}
OPENED = {  # by each scope, with a body that is good enough to get past the door
    ("POST", "/predict"): Scope.PREDICT,
    ("POST", "/stream"): Scope.PREDICT,
    ("GET", "/models"): Scope.PREDICT,
    ("GET", "/models/toy"): Scope.PREDICT,
    ("GET", "/metrics"): Scope.METRICS,
    ("GET", "/admin/models"): Scope.ADMIN,
    ("GET", "/admin/models/toy"): Scope.ADMIN,
    ("POST", "/admin/models/toy/promote"): Scope.ADMIN,
    ("PUT", "/admin/models/toy/labels/canary"): Scope.ADMIN,
    ("DELETE", "/admin/models/toy/labels/canary"): Scope.ADMIN,
    ("GET", "/nothing/here"): Scope.PREDICT,
}
Make = Callable[..., tuple[Key, str]]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def make(key_file: Path) -> Make:
    """Make keys."""

    def create(*scopes: Scope, **more: object) -> tuple[Key, str]:
        with editing(key_file) as editor:
            return editor.create("somebody", scopes=frozenset(scopes), **more)

    return create


@pytest.fixture
def app(store: Path, key_file: Path, make: Make) -> FastAPI:
    make(Scope.FEEDBACK)
    app = create_app(Settings(store=store, keys=key_file, poll_seconds=0.01, threads=1))
    app.state.service.catalog.refresh()
    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def ask(client: TestClient, method: str, path: str, **headers: str):
    return client.request(method, path, json={"text": "good"}, headers=headers)


def learn(client: TestClient, secret: str) -> None:
    """Wait until the service knows a key that was made or changed."""
    app: FastAPI = client.app
    app.state.service.key_ring.refresh()


@pytest.mark.medium
@pytest.mark.parametrize("path", sorted(OPEN))
def test_probes_and_pages_are_open(path: str, client: TestClient) -> None:
    assert client.get(path, follow_redirects=False).status_code < 400


@pytest.mark.parametrize(("method", "path"), OPENED)
def test_nothing_else_is_open(method: str, path: str, client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, bearer("gw_0_0"), bearer("")):
        answer = ask(client, method, path, **headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "unauthorized"
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), OPENED)
@pytest.mark.parametrize("scope", Scope)
def test_a_key_opens_what_its_scope_says(
    method: str, path: str, scope: Scope, client: TestClient, make: Make
) -> None:
    _, secret = make(scope)
    learn(client, secret)
    for headers in (bearer(secret), {"X-API-Key": secret}):
        status = ask(client, method, path, **headers).status_code
        assert (status == 403) == (scope != OPENED[method, path]), status
        assert status != 401


def test_every_route_is_known_here(app: FastAPI) -> None:
    """A route that is added has to be thought of."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            needed = scope_of(route.path)
            assert needed is None or needed in OPENED.values(), route.path
            assert needed is not None or route.path in OPEN, route.path


@pytest.mark.parametrize(
    "trick",
    ["/%2Fmetrics", "/%6Detrics", "/page/../metrics", "/metrics/", "/./metrics", "/metrics%0A"],
)
def test_no_way_leads_around_the_door(trick: str, client: TestClient, make: Make) -> None:
    _, secret = make(Scope.PREDICT)
    learn(client, secret)
    for headers in ({}, bearer(secret)):
        answer = client.get(trick, headers=headers, follow_redirects=True)
        assert answer.status_code in (401, 403, 404)


def test_a_line_end_behind_a_path_leads_nowhere(
    app: FastAPI, client: TestClient, make: Make
) -> None:
    """A pattern of Starlette also matches before it; a proxy that hides a path does not."""
    _, secret = make(*Scope)
    learn(client, secret)
    for path in {route.path for route in app.routes if isinstance(route, APIRoute)}:
        filled = path.replace("{name}", "toy").replace("{label}", "canary")
        answer = client.get(f"{filled}%0A", headers=bearer(secret), follow_redirects=False)
        assert answer.status_code == 404, path
        assert answer.json()["error"] == {"type": "not_found", "message": "Not Found"}


@pytest.mark.medium
def test_an_expired_and_a_revoked_key_open_nothing(
    client: TestClient, make: Make, key_file: Path
) -> None:
    key, secret = make(Scope.PREDICT)
    _, short = make(Scope.PREDICT, expires=datetime.now(UTC) + timedelta(seconds=0.3))
    learn(client, secret)
    assert ask(client, "POST", "/predict", **bearer(secret)).status_code == 200
    with editing(key_file) as editor:
        editor.revoke(key.id)
    learn(client, secret)
    answer = ask(client, "POST", "/predict", **bearer(secret))
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        401,
        f"the API key {key.id} is revoked",
    )
    time.sleep(0.3)
    answer = ask(client, "POST", "/predict", **bearer(short))
    assert answer.status_code == 401
    assert "is expired" in answer.json()["error"]["message"]


def test_a_new_key_opens_without_a_restart(client: TestClient, make: Make) -> None:
    _, secret = make(Scope.PREDICT)
    deadline = time.monotonic() + 20
    while ask(client, "POST", "/predict", **bearer(secret)).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_damaged_file_changes_nothing(
    client: TestClient, make: Make, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, secret = make(Scope.PREDICT)
    learn(client, secret)
    good = key_file.read_text()
    for damage in (lambda: key_file.write_text("{"), key_file.unlink):
        damage()
        for _ in range(3):
            learn(client, secret)
        assert ask(client, "POST", "/predict", **bearer(secret)).status_code == 200
    told = [each for each in caplog.messages if "the API keys are not changed" in each]
    assert 2 <= len(told) <= 4  # once for each fault, though it is looked at again and again
    key_file.write_text(good.replace(secret.split("_")[1], "f" * 16))
    learn(client, secret)
    assert ask(client, "POST", "/predict", **bearer(secret)).status_code == 401


def test_a_wrong_key_costs_no_reading_of_the_body(client: TestClient) -> None:
    answer = client.post("/predict", content=b"x" * 10_000, headers=bearer("gw_no"))
    assert answer.status_code == 401


def test_a_request_without_a_key_has_an_id_and_is_counted(client: TestClient, make: Make) -> None:
    _, secret = make(Scope.METRICS)
    learn(client, secret)
    answer = ask(client, "POST", "/predict", **{"X-Request-Id": "mine"})
    assert answer.headers["x-request-id"] == "mine"
    metrics = client.get("/metrics", headers=bearer(secret)).text
    assert 'status="401"' in metrics
    assert secret not in metrics


def test_a_preflight_takes_no_key(store: Path, key_file: Path, make: Make) -> None:
    make(Scope.PREDICT)
    origin = "https://www.example.com"
    app = create_app(Settings(store=store, keys=key_file, cors_origins=origin, threads=1))
    client = TestClient(app)
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    wanted = {"Access-Control-Request-Headers": "authorization"}
    assert client.options("/predict", headers=asked | wanted).status_code == 200
    answer = ask(client, "POST", "/predict", Origin=origin)
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == origin


def test_a_prefix_is_left_out(store: Path, key_file: Path, make: Make) -> None:
    _, secret = make(Scope.METRICS)
    client = TestClient(
        create_app(Settings(store=store, keys=key_file, root_path="/api", threads=1))
    )
    for at in ("/api/metrics", "/metrics"):
        assert client.get(at).status_code == 401
        assert client.get(at, headers=bearer(secret)).status_code == 200
    assert client.get("/api/livez").status_code == 200


def test_a_key_has_its_rate(client: TestClient, make: Make) -> None:
    _, secret = make(Scope.PREDICT, rate=Rate(tokens_per_second=0.01, burst_tokens=10))
    _, other = make(Scope.PREDICT)
    learn(client, secret)
    read = 0
    for _ in range(20):
        answer = client.post("/predict", json={"text": "a good film"}, headers=bearer(secret))
        if answer.status_code == 429:
            break
        read += answer.json()["tokens"]
    assert answer.json()["error"]["type"] == "rate_limited"
    assert int(answer.headers["retry-after"]) > 60
    assert 10 - 3 < read <= 10
    assert client.get("/models", headers=bearer(secret)).status_code == 200  # which reads nothing
    assert ask(client, "POST", "/predict", **bearer(other)).status_code == 200


def test_an_empty_budget_is_told_before_the_body_is_read(client: TestClient, make: Make) -> None:
    _, secret = make(Scope.PREDICT, rate=Rate(tokens_per_second=0.01, burst_tokens=3))
    learn(client, secret)
    asked = {"text": "a good film"}
    assert client.post("/predict", json=asked, headers=bearer(secret)).status_code == 200
    answer = client.post("/predict", content=b"no JSON", headers=bearer(secret))
    assert answer.status_code == 429


def test_all_keys_may_have_a_rate(store: Path, key_file: Path, make: Make) -> None:
    _, secret = make(Scope.PREDICT)
    app = create_app(
        Settings(store=store, keys=key_file, threads=1, tokens_per_second=0.01, burst_tokens=3)
    )
    app.state.service.catalog.refresh()
    with TestClient(app) as client:
        answers = [ask(client, "POST", "/predict", **bearer(secret)) for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]


def test_a_stream_shows_its_key_with_a_header_or_an_offer(client: TestClient, make: Make) -> None:
    _, secret = make(Scope.PREDICT)
    learn(client, secret)
    with client.websocket_connect("/stream", headers=bearer(secret)) as socket:
        socket.send_json({"text": "good "})
        assert socket.receive_json()["prediction"]["label"]
    offered = ["gatewise", f"gatewise.key.{secret}"]
    with client.websocket_connect("/stream", subprotocols=offered) as socket:
        assert socket.accepted_subprotocol == "gatewise"
        socket.send_json({"text": "good "})
        assert socket.receive_json()["prediction"]["label"]


def test_a_stream_without_a_key_is_not_opened(client: TestClient, make: Make) -> None:
    _, metrics = make(Scope.METRICS)
    learn(client, metrics)
    for headers in ({}, bearer("gw_no"), bearer(metrics)):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/stream", headers=headers),
        ):
            pass


def test_a_stream_ends_with_its_key(client: TestClient, make: Make, key_file: Path) -> None:
    key, secret = make(Scope.PREDICT)
    learn(client, secret)
    with client.websocket_connect("/stream", headers=bearer(secret)) as socket:
        socket.send_json({"text": "good "})
        assert socket.receive_json()["prediction"]
        with editing(key_file) as editor:
            editor.revoke(key.id)
        learn(client, secret)
        socket.send_json({"text": "film "})
        assert socket.receive_json()["error"]["type"] == "unauthorized"
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
    assert ended.value.code == 1008


def test_a_stream_has_the_rate_of_its_key(client: TestClient, make: Make) -> None:
    _, secret = make(Scope.PREDICT, rate=Rate(tokens_per_second=0.01, burst_tokens=3))
    learn(client, secret)
    with client.websocket_connect("/stream", headers=bearer(secret)) as socket:
        for _ in range(4):
            socket.send_json({"text": "good "})
            last = socket.receive_json()
        assert last["error"]["type"] == "rate_limited"


def test_keys_are_in_no_answer(client: TestClient, make: Make) -> None:
    _, secret = make(Scope.METRICS)
    learn(client, secret)
    tail = secret.split("_", 2)[2]
    for headers in (bearer(secret), bearer(f"{secret}x"), {"X-API-Key": secret}):
        assert tail not in json.dumps(ask(client, "POST", "/predict", **headers).json())


def test_a_spent_rate_does_not_stand_in_the_way_of_a_rollback(
    client: TestClient, make: Make
) -> None:
    rate = Rate(tokens_per_second=0.01, burst_tokens=3)
    _, secret = make(Scope.PREDICT, Scope.ADMIN, rate=rate)
    learn(client, secret)
    assert ask(client, "POST", "/predict", **bearer(secret)).status_code == 200
    answers = [
        client.post("/predict", json={"text": "good " * 9}, headers=bearer(secret))
        for _ in range(2)
    ]
    assert answers[1].status_code == 429
    for action in ("labels/stable/rollback", "promote", "verify", "prune"):
        answer = ask(client, "POST", f"/admin/models/toy/{action}", **bearer(secret))
        assert answer.status_code != 429
