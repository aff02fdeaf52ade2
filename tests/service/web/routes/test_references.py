"""`name:version` means the same wherever a model is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.names import LONGEST_NAME
from models.registry import Store
from models.steering import give_label
from tests.versions import publish

Ask = Callable[..., dict[str, Any]]
LONGEST = "a" * LONGEST_NAME


@pytest.fixture(autouse=True)
def two_versions(client: TestClient, store: Path) -> None:
    publish(store)
    publish(store, name=LONGEST)
    client.app.state.service.catalog.refresh()


def predict(client: TestClient, **asked: Any) -> dict[str, Any]:
    return client.post("/predict", json={"text": "good. bad.", **asked}).json()


def explain(client: TestClient, **asked: Any) -> dict[str, Any]:
    return predict(client, explain=True, trajectory=True, **asked)


def batch(client: TestClient, **asked: Any) -> dict[str, Any]:
    answer = client.post("/predict", json={"texts": ["good"], **asked}).json()
    return answer["predictions"][0] if "predictions" in answer else answer


def stream(client: TestClient, **asked: Any) -> dict[str, Any]:
    answer = client.post("/stream", json={"text": "good", **asked}).json()
    return answer.get("prediction", answer)


def websocket(client: TestClient, **asked: Any) -> dict[str, Any]:
    with client.websocket_connect("/stream") as socket:
        socket.send_json({"text": "good", **asked})
        answer = socket.receive_json()
        return answer.get("prediction", answer)


@pytest.mark.parametrize("ask", [predict, explain, batch, stream, websocket])
class TestEveryRoute:
    @pytest.mark.parametrize("version", [1, 2])
    def test_a_version_in_the_name_is_that_version(
        self, ask: Ask, version: int, client: TestClient
    ) -> None:
        answer = ask(client, model=f"toy:{version}")
        assert (answer["model"], answer["version"]) == ("toy", version)
        assert ask(client, model="toy", version=version) == answer
        assert ask(client, model=f"toy:{version}", version=version) == answer

    def test_the_longest_name_may_have_a_version_too(self, ask: Ask, client: TestClient) -> None:
        assert ask(client, model=f"{LONGEST}:1")["model"] == LONGEST

    def test_a_label_is_the_version_that_has_it(
        self, ask: Ask, client: TestClient, store: Path
    ) -> None:
        give_label(Store(store), Store(store).resolve("toy:1"), "stable")
        give_label(Store(store), Store(store).resolve("toy:2"), "canary")
        client.app.state.service.catalog.refresh()
        assert ask(client, model="toy")["version"] == 1
        assert ask(client, model="toy:stable")["version"] == 1
        assert ask(client, model="toy:canary")["version"] == 2
        assert ask(client, model="toy", version="canary")["version"] == 2
        error = ask(client, model="toy:canary", version="stable")["error"]
        assert error["message"] == "stable is not the version of 'toy:canary'; give one of them"

    def test_another_version_beside_it_is_refused(self, ask: Ask, client: TestClient) -> None:
        error = ask(client, model="toy:1", version=2)["error"]
        assert (error["type"], error["field"]) == ("invalid", "version")
        assert error["message"] == "2 is not the version of 'toy:1'; give one of them"

    @pytest.mark.parametrize("model", ["toy:", "toy:0", "toy:New", ":1", "toy:1:1"])
    def test_what_is_no_version_is_refused(self, ask: Ask, model: str, client: TestClient) -> None:
        error = ask(client, model=model)["error"]
        assert (error["type"], error["field"]) == ("invalid", "model")
        assert f"'{model}' is neither a model nor model:version" in error["message"]

    @pytest.mark.parametrize("version", ["3", "Best", "", "a" * 40])
    def test_what_is_neither_version_nor_label_is_told(
        self, ask: Ask, version: str, client: TestClient
    ) -> None:
        error = ask(client, model="toy", version=version)["error"]
        assert (error["type"], error["field"]) == ("invalid", "version")
        assert "is neither a version, a number such as 3, nor a label" in error["message"]

    @pytest.mark.parametrize(
        ("model", "message"),
        [
            ("toy:9", "no version 9 of 'toy' is loaded; there are: 2, 1"),
            ("toy:best", "no version of 'toy' is 'best'; its labels: none"),
            ("tyo:1", "did you mean"),
        ],
    )
    def test_what_is_not_there_is_told(
        self, ask: Ask, model: str, message: str, client: TestClient
    ) -> None:
        error = ask(client, model=model)["error"]
        assert error["type"] == "not_found"
        assert message in error["message"]


def test_one_version_can_be_shown(client: TestClient) -> None:
    both, one = client.get("/models/toy").json(), client.get("/models/toy:1").json()
    assert [version["version"] for version in both["versions"]] == [2, 1]
    assert one["versions"] == both["versions"][1:]
    assert client.get("/models/toy:9").status_code == 404
    assert client.get("/models/toy:best").status_code == 404
    assert client.get("/models/toy:X").status_code == 422


def test_a_websocket_goes_on_with_the_version_that_it_names(client: TestClient) -> None:
    with client.websocket_connect("/stream") as socket:
        for asked in ({"model": "toy:1"}, {"model": "toy:1"}, {"model": "toy", "version": 1}):
            socket.send_json({"text": "good ", **asked})
            assert socket.receive_json()["prediction"]["version"] == 1
        socket.send_json({"text": "good ", "model": "toy:2"})
        assert "this is a stream of toy:1" in socket.receive_json()["error"]["message"]


def test_a_state_goes_on_with_the_version_that_it_names(client: TestClient) -> None:
    first = client.post("/stream", json={"text": "good ", "model": "toy:1"}).json()
    asked = {"text": "bad", "state": first["state"]}
    again = client.post("/stream", json=asked | {"model": "toy:1"})
    assert again.json()["prediction"]["version"] == 1
    other = client.post("/stream", json=asked | {"model": "toy:2"})
    assert other.json()["error"]["type"] == "replay_required"


def test_labels_are_shown(client: TestClient, store: Path) -> None:
    assert "version_labels" not in client.get("/models/toy").json()
    give_label(Store(store), Store(store).resolve("toy:1"), "stable")
    client.app.state.service.catalog.refresh()
    assert client.get("/models/toy").json()["version_labels"] == {"stable": 1}
    shown = client.get("/models/toy:stable").json()
    assert [version["version"] for version in shown["versions"]] == [1]


class TestStreams:
    """A stream goes on with its version, whatever happens to the label that it began with."""

    def test_with_a_state(self, client: TestClient, store: Path) -> None:
        give_label(Store(store), Store(store).resolve("toy:1"), "stable")
        client.app.state.service.catalog.refresh()
        asked = {"text": "good ", "model": "toy:stable"}
        first = client.post("/stream", json=asked).json()
        give_label(Store(store), Store(store).resolve("toy:2"), "stable")
        client.app.state.service.catalog.refresh()
        second = client.post("/stream", json={**asked, "state": first["state"]}).json()
        assert second["prediction"]["version"] == first["prediction"]["version"] == 1
        assert second["tokens"] == 2
        assert client.post("/stream", json=asked).json()["prediction"]["version"] == 2

    def test_on_a_websocket(self, client: TestClient, store: Path) -> None:
        give_label(Store(store), Store(store).resolve("toy:1"), "stable")
        client.app.state.service.catalog.refresh()
        with client.websocket_connect("/stream") as socket:
            for _ in range(2):
                socket.send_json({"text": "good ", "model": "toy:stable"})
                assert socket.receive_json()["prediction"]["version"] == 1
                give_label(Store(store), Store(store).resolve("toy:2"), "stable")
                client.app.state.service.catalog.refresh()


@pytest.mark.medium
def test_a_retry_comes_to_the_same_version(client: TestClient, store: Path) -> None:
    give_label(Store(store), Store(store).resolve("toy:1"), "stable")
    give_label(Store(store), Store(store).resolve("toy:2"), "canary", share=0.5)
    client.app.state.service.catalog.refresh()

    def ask(path: str, id: str) -> int:
        sent = {"text": "good", "model": "toy"}
        answer = client.post(path, json=sent, headers={"X-Request-Id": id}).json()
        return answer.get("prediction", answer)["version"]

    for path in ("/predict", "/stream"):
        found = {id: ask(path, id) for id in map(str, range(30))}
        assert set(found.values()) == {1, 2}
        assert found == {id: ask(path, id) for id in found}
    assert {ask("/predict", id) == ask("/stream", id) for id in map(str, range(30))} == {True}
    unnamed = {predict(client, model="toy")["version"] for _ in range(40)}
    assert unnamed == {1, 2}  # each without an id gets a new one
