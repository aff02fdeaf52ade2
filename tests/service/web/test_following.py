"""A service follows its store, also while a version takes long to load."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from models.registry import Store
from models.steering import give_label
from service.settings import Settings
from service.web.access.keys import Scope, editing
from service.web.app import create_app
from tests.service.slow_versions import SlowVersions
from tests.versions import publish

SECONDS = 30.0  # to wait at most


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with two versions of `toy`, the second of which is stable after the first."""
    store = Store(tmp_path / "store")
    for number in (1, 2):
        publish(store.root)
        give_label(store, store.resolve(f"toy:{number}"), "stable")
    return store


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowVersions]:
    with SlowVersions("slow", monkeypatch) as slow:
        yield slow


def ask(client: TestClient, model: str = "toy") -> int | str:
    """Return the version that answers, or else the message."""
    answer = client.post("/predict", json={"text": "good", "model": model}).json()
    found: int | str = answer.get("version") or answer["error"]["message"]
    return found


def wait_for(client: TestClient, version: int, *, model: str = "toy") -> None:
    deadline = time.monotonic() + SECONDS
    while ask(client, model) != version:
        assert time.monotonic() < deadline, ask(client, model)
        time.sleep(0.01)


def test_labels_are_followed_while_another_model_is_loaded(
    store: Store, slow: SlowVersions
) -> None:
    app = create_app(Settings(store=store.root, model="toy", poll_seconds=0.01))
    with TestClient(app) as client:
        wait_for(client, 2)
        publish(store.root, name="slow")
        assert slow.begun.wait(SECONDS)
        for number in (1, 2):
            give_label(store, store.resolve(f"toy:{number}"), "stable")
            wait_for(client, number)
        assert ask(client, "slow") == "slow is still being loaded"
        assert client.get("/readyz").status_code == 200
        assert {each["name"] for each in client.get("/models").json()["models"]} == {"slow", "toy"}
        slow.opened.set()
        wait_for(client, 1, model="slow")


def test_a_service_is_ready_once_each_version_has_been_tried(
    store: Store, slow: SlowVersions
) -> None:
    """Else a rolling update would send it requests for models that it cannot answer yet."""
    publish(store.root, name="slow")
    app = create_app(Settings(store=store.root, model="toy", poll_seconds=0.01))
    with TestClient(app) as client:
        assert slow.begun.wait(SECONDS)
        wait_for(client, 2)
        told = client.get("/readyz")
        assert told.status_code == 503
        assert told.json()["reason"] == "the models are still being loaded"
        slow.opened.set()
        deadline = time.monotonic() + SECONDS
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
        assert ask(client, "slow") == 1


def test_a_rollback_over_http_does_not_wait_for_another_model(
    store: Store, slow: SlowVersions, tmp_path: Path
) -> None:
    with editing(tmp_path / "keys.json") as editor:
        _, secret = editor.create("ops", scopes=frozenset(Scope))
    app = create_app(
        Settings(store=store.root, model="toy", keys=tmp_path / "keys.json", poll_seconds=3600)
    )
    catalog = app.state.service.catalog
    catalog.refresh()
    publish(store.root, name="slow")
    with TestClient(app) as client, slow.loading(catalog.refresh):
        client.headers["Authorization"] = f"Bearer {secret}"
        assert ask(client) == 2
        answer = client.post("/admin/models/toy/labels/stable/rollback")
        assert answer.json()["labels"] == {"stable": 1}
        assert ask(client) == 1
        assert client.post("/admin/models/toy/prune", json={"keep": 1}).status_code == 200
        assert ask(client, "slow") == "slow is still being loaded"
