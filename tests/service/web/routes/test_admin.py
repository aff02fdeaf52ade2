"""`/admin` does what `python -m models` does, for keys that open it, and takes effect at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from models.registry import Store
from service.settings import Settings
from service.web.access.keys import Scope, editing
from service.web.app import create_app
from tests.service.web.leaving import leave_while_sending
from tests.versions import publish


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for _ in range(3):
        publish(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def admin(store: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A client with a key that opens all. The store is looked at only when it is told to."""
    with editing(tmp_path / "keys.json") as editor:
        _, secret = editor.create("ops", scopes=frozenset(Scope))
    app = create_app(
        Settings(store=store, keys=tmp_path / "keys.json", threads=1, poll_seconds=3600)
    )
    app.state.service.catalog.refresh()
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        yield client


def give(admin: TestClient, label: str, version: int, **more: float):
    asked = {"version": version} | more
    return admin.put(f"/admin/models/toy/labels/{label}", json=asked)


def answering(admin: TestClient) -> int:
    return admin.post("/predict", json={"text": "good"}).json()["version"]


def test_a_label_moves_traffic_before_the_answer_is_there(
    admin: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert answering(admin) == 3
    assert give(admin, "stable", 1).json() == {
        "model": "toy",
        "labels": {"stable": 1},
        "shares": {},
        "shadows": {},
    }
    assert answering(admin) == 1
    assert any("toy:1 is stable; asked by ops with the key" in line for line in caplog.messages)


def test_a_canary_gets_a_share_and_is_promoted_and_rolled_back(admin: TestClient) -> None:
    give(admin, "stable", 1)
    assert give(admin, "canary", 2, share=0.25).json()["shares"] == {"canary": 0.25}
    assert give(admin, "canary", 2, shadow=1.0).json()["shadows"] == {"canary": 1.0}
    promoted = admin.post("/admin/models/toy/promote")
    assert promoted.json()["labels"] == {"stable": 2}
    assert answering(admin) == 2
    back = admin.post("/admin/models/toy/labels/stable/rollback")
    assert back.json()["labels"] == {"stable": 1}
    assert answering(admin) == 1


def test_a_label_is_taken_away(admin: TestClient) -> None:
    give(admin, "stable", 1)
    assert admin.delete("/admin/models/toy/labels/stable").json()["labels"] == {}
    assert answering(admin) == 3


def test_versions_are_listed_shown_and_verified(admin: TestClient, store: Path) -> None:
    give(admin, "stable", 1)
    rows = admin.get("/admin/models").json()
    assert [(row["version"], row["labels"], row["answers"]) for row in rows] == [
        (3, [], False),
        (2, [], False),
        (1, ["stable"], True),
    ]
    assert admin.get("/admin/models/toy:stable").json()["version"] == 1
    assert admin.post("/admin/models/toy:2/verify").json() == {"verified": "toy:2"}
    (store / "toy" / "2" / "saved_model.pb").write_bytes(b"another graph")
    answer = admin.post("/admin/models/toy:2/verify")
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "conflict")
    assert "saved_model.pb" in answer.json()["error"]["message"]


def test_old_versions_are_deleted(admin: TestClient, store: Path) -> None:
    give(admin, "stable", 1)
    assert admin.post("/admin/models/toy/prune", json={"keep": 1}).json() == {"deleted": [2]}
    assert [version.number for version in Store(store).versions("toy")] == [1, 3]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/admin/models/toy/labels/canary", {"version": 1}, 409),  # stable comes first
        ("PUT", "/admin/models/toy/labels/stable", {"version": 9}, 404),
        ("PUT", "/admin/models/tyo/labels/stable", {"version": 1}, 404),
        ("PUT", "/admin/models/toy/labels/Stable", {"version": 1}, 422),
        ("PUT", "/admin/models/toy/labels/stable", {"version": 0}, 422),
        ("PUT", "/admin/models/toy/labels/stable", {"version": 1, "share": 0.5}, 409),
        ("PUT", "/admin/models/toy/labels/stable", {"version": 1, "share": 2}, 422),
        ("PUT", "/admin/models/toy/labels/stable", {}, 422),
        ("PUT", "/admin/models/..%2F..%2Ftmp/labels/stable", {"version": 1}, 404),
        ("DELETE", "/admin/models/toy/labels/stable", None, 409),
        ("POST", "/admin/models/toy/promote", None, 409),
        ("POST", "/admin/models/toy/labels/stable/rollback", None, 409),
        ("POST", "/admin/models/toy/prune", {"keep": 0}, 422),
        ("POST", "/admin/models/toy/prune", None, 415),
        ("GET", "/admin/models/nothing", None, 404),
        ("GET", "/admin/models/toy:no one", None, 404),
    ],
)
def test_a_fault_is_told_and_changes_nothing(
    method: str, path: str, body: object, status: int, admin: TestClient, store: Path
) -> None:
    answer = admin.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert len(Store(store).versions("toy")) == 3
    assert not Store(store).labels("toy").versions


def test_a_fault_of_the_disk_is_told(
    admin: TestClient, monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("models.version_labels.VersionLabels.save", fail)
    answer = give(admin, "stable", 1)
    assert answer.status_code == 409  # 503 would say that another replica can
    assert "Read-only file system; python -m models" in answer.json()["error"]["message"]
    assert not Store(store).labels("toy").versions


def test_a_client_that_leaves_while_it_sends_is_no_failure(
    admin: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert not leave_while_sending(admin, "/admin/models/toy/prune")
    assert not caplog.records
    assert 'route="/admin/models/{name}/prune",status="499"} 1.0' in admin.get("/metrics").text


def test_nobody_steers_a_service_without_keys(store: Path) -> None:
    with TestClient(create_app(Settings(store=store, threads=1))) as client:
        for method, path in [("GET", ""), ("POST", "/toy/promote"), ("PUT", "/toy/labels/stable")]:
            answer = client.request(method, f"/admin/models{path}", json={"version": 1})
            assert answer.status_code == 403
            assert "start with GATEWISE_KEYS" in answer.json()["error"]["message"]
    assert not Store(store).labels("toy").versions
