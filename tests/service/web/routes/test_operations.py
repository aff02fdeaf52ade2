import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from models.registry import Store
from service.answering.catalog import Catalog
from service.answering.classifier import Classifier
from service.settings import Settings
from service.web.app import create_app
from tests.service.web.leaving import leave_while_sending
from tests.versions import CountingEngine, publish


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it did not happen within 5 seconds")


def test_live_and_ready(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_not_ready_while_draining_but_still_answering(client: TestClient) -> None:
    client.app.state.service.draining = True
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "draining"})
    assert client.get("/livez").status_code == 200
    assert client.post("/predict", json={"text": "good"}).status_code == 200


def test_an_empty_store_is_not_ready_until_something_is_published(tmp_path: Path) -> None:
    app = create_app(Settings(store=tmp_path, poll_seconds=0.01))
    with TestClient(app) as client:
        reason = f"waiting for a first version in {tmp_path}; there is no model in it"
        looked = {"status": "loading", "reason": reason}
        wait_until(lambda: client.get("/readyz").json() == looked)
        assert client.get("/models").json() == {"models": [], "awaited": reason}
        answer = client.post("/predict", json={"text": "good"})
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "unavailable")
        publish(tmp_path)
        wait_until(lambda: client.get("/readyz").status_code == 200)
        assert client.post("/predict", json={"text": "good"}).json()["label"] == "pos"


def test_before_the_first_look_at_the_store_requests_are_told_to_come_back(store: Path) -> None:
    client = TestClient(create_app(Settings(store=store)))  # not entered: nothing starts
    assert client.get("/readyz").status_code == 503
    answer = client.post("/predict", json={"text": "good", "model": "toy"})
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "the models are still being loaded"


def test_a_version_that_failed_is_told_apart_from_a_service_that_cannot_answer(
    client: TestClient, store: Path
) -> None:
    publish(store, name="broken")
    (store / "broken" / "1" / "tokenizer.json").write_text("{}")
    client.app.state.service.catalog.refresh()
    answer = client.post("/predict", json={"text": "good", "model": "broken"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "version_failed")
    assert "broken could not be loaded: " in answer.json()["error"]["message"]
    assert client.post("/predict", json={"text": "good", "model": "toy"}).status_code == 200
    assert client.get("/readyz").status_code == 200


def test_a_new_version_answers_without_a_restart(client: TestClient, store: Path) -> None:
    publish(store)
    wait_until(lambda: client.post("/predict", json={"text": "a"}).json()["version"] == 2)
    old = client.post("/predict", json={"text": "a", "version": 1})
    assert old.json()["version"] == 1  # for clients that have not moved on
    publish(store)
    wait_until(lambda: client.post("/predict", json={"text": "a"}).json()["version"] == 3)
    assert client.post("/predict", json={"text": "a", "version": 1}).status_code == 404


def test_a_look_that_fails_is_not_the_last(client: TestClient, store: Path, monkeypatch) -> None:
    failures: list[str] = []

    def fail(_: Store) -> list[str]:
        failures.append("failed")
        raise PermissionError("the disk is away")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "names", fail)
        wait_until(lambda: len(failures) > 1)
        assert client.post("/predict", json={"text": "good"}).status_code == 200
    publish(store)
    wait_until(lambda: client.post("/predict", json={"text": "a"}).json()["version"] == 2)


def test_a_model_that_is_not_there_is_what_readiness_and_models_say(store: Path, caplog) -> None:
    app = create_app(Settings(store=store, model="tyo", poll_seconds=0.01))
    with TestClient(app) as client:
        wait_until(lambda: "waiting for model" in client.get("/readyz").text)
        ready, models = client.get("/readyz"), client.get("/models").json()
        assert ready.status_code == 503
        expected = f"waiting for model 'tyo' in {store}; there are: toy; did you mean 'toy'?"
        assert ready.json() == {"status": "loading", "reason": expected}
        assert models["awaited"] == expected
        assert [model["name"] for model in models["models"]] == ["toy"]
        publish(store, name="tyo")
        wait_until(lambda: client.get("/readyz").status_code == 200)
        assert "awaited" not in client.get("/models").json()
    assert len([line for line in caplog.messages if line.startswith("not ready")]) == 1


@pytest.mark.parametrize(
    "fault", [PermissionError("the disk is away"), RuntimeError("a bug"), OSError("stale handle")]
)
def test_a_look_that_fails_again_and_again_is_logged_once(
    client: TestClient, monkeypatch, caplog, fault: Exception
) -> None:
    looks: list[int] = []

    def fail(_: Store) -> list[str]:
        looks.append(1)
        raise fault

    monkeypatch.setattr(Store, "names", fail)
    wait_until(lambda: len(looks) > 3)
    told = [record for record in caplog.records if str(fault) in record.getMessage()]
    assert len(told) == 1
    assert bool(told[0].exc_info) == isinstance(fault, RuntimeError)


def test_request_id_comes_back_or_is_made(client: TestClient) -> None:
    assert client.get("/livez", headers={"X-Request-Id": "me-1"}).headers["x-request-id"] == "me-1"
    made = {client.get("/livez").headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3
    unfit = client.get("/livez", headers={"X-Request-Id": "a b" * 99}).headers["x-request-id"]
    assert " " not in unfit


QUESTIONS = {
    "/predict": [
        {"text": "good"},
        {"texts": ["good", "bad", 5]},
        {"text": "good. bad.", "trajectory": True},
        {"text": "good bad", "explain": True},
        {"text": "good bad", "explain": "occlusion"},
    ],
    "/stream": [{"text": "good"}, {"text": "good bad", "explain": True, "final": True}],
}
EVERY_QUESTION = [(path, question) for path, asked in QUESTIONS.items() for question in asked]


@pytest.mark.medium
@pytest.mark.parametrize(("path", "question"), EVERY_QUESTION)
def test_server_timing_names_the_stages(
    path: str, question: dict[str, object], client: TestClient
) -> None:
    answer = client.post(path, json=question)
    assert answer.status_code == 200, answer.text
    header = answer.headers["server-timing"]
    stages = dict(part.split(";dur=") for part in header.split(", "))
    assert list(stages) == ["tokenize", "queue", "model"]
    assert all(0 <= float(milliseconds) < 10_000 for milliseconds in stages.values())
    counted = client.get("/metrics").text
    for stage in stages:
        assert f'gatewise_stage_seconds_count{{route="{path}",stage="{stage}"}} 1.0' in counted


def test_pieces_on_a_websocket_are_timed_too(client: TestClient) -> None:
    with client.websocket_connect("/stream") as socket:
        for _ in range(3):
            socket.send_json({"text": "good "})
            socket.receive_json()
    counted = client.get("/metrics").text
    assert 'gatewise_stage_seconds_count{route="/stream",stage="model"} 3.0' in counted


def test_a_slow_look_at_gates_is_time_of_the_model(client: TestClient, monkeypatch) -> None:
    class SlowGates:
        def open_gates(self, ids, _state):
            time.sleep(0.05)
            return np.full((len(ids), 1, 2), 0.5, np.float32)

    monkeypatch.setattr(Classifier, "gate_engine", SlowGates())
    answer = client.post("/predict", json={"text": "good", "gates": True})
    assert answer.json()["gates"][0]["gates"] == [{"update": 0.5, "reset": 0.5}]
    stages = dict(part.split(";dur=") for part in answer.headers["server-timing"].split(", "))
    assert float(stages["model"]) >= 50


def test_metrics_count_requests_texts_and_tokens(client: TestClient) -> None:
    client.post("/predict", json={"texts": ["a good film", 5]})
    client.post("/predict", content="{", headers={"content-type": "application/json"})
    client.get("/scan/for/holes")
    text = client.get("/metrics").text
    for line in (
        'gatewise_requests_total{method="POST",route="/predict",status="200"} 1.0',
        'gatewise_requests_total{method="POST",route="/predict",status="400"} 1.0',
        'gatewise_requests_total{method="GET",route="unknown",status="404"} 1.0',
        'gatewise_request_seconds_count{method="POST",route="/predict"} 2.0',
        'gatewise_texts_total{model="toy",version="1"} 1.0',
        'gatewise_tokens_total{model="toy",version="1"} 3.0',
        'gatewise_stage_seconds_count{route="/predict",stage="model"} 1.0',
    ):
        assert line in text


CLASSIC = "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize(
    ("accepted", "media_type", "ends"),
    [
        (None, CLASSIC, False),
        ("*/*", CLASSIC, False),
        ("text/plain;version=0.0.4", CLASSIC, False),
        ("application/openmetrics-text;version=0.0.1,text/plain;q=0.5", CLASSIC, False),
        ("application/openmetrics-text;version=x", CLASSIC, False),
        ("text/html", CLASSIC, False),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0", True),
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4",
            "application/openmetrics-text; version=1.0.0",
            True,
        ),
        ("text/plain;version=1.0.0", "text/plain; version=1.0.0", False),
    ],
)
def test_metrics_are_what_the_reader_accepts(
    accepted: str | None, media_type: str, ends: bool, client: TestClient
) -> None:
    client.post("/predict", json={"text": "a good film"})
    answer = client.get("/metrics", headers={} if accepted is None else {"accept": accepted})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.text.endswith("# EOF\n") == ends
    assert 'gatewise_texts_total{model="toy",version="1"} 1.0' in answer.text


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/models", "/metrics", "/docs"])
def test_what_can_be_got_can_be_asked_for_its_head(path: str, client: TestClient) -> None:
    got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("path", ["/predict", "/stream"])
def test_a_client_that_leaves_while_it_sends_is_no_failure(
    path: str, client: TestClient, caplog
) -> None:
    assert not leave_while_sending(client, path)
    assert not caplog.records
    line = f'gatewise_requests_total{{method="POST",route="{path}",status="499"}} 1.0'
    assert line in client.get("/metrics").text


def test_a_failure_of_ours_is_told_logged_and_survived(
    client: TestClient, monkeypatch, caplog
) -> None:
    def fail(*_, **__):
        raise RuntimeError("the engine broke")

    with monkeypatch.context() as patch:
        patch.setattr(CountingEngine, "predict", fail)
        answer = client.post("/predict", json={"text": "a"}, headers={"X-Request-Id": "me-2"})
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "internal"
    assert "broke" not in answer.text
    assert answer.headers["x-request-id"] == "me-2"
    assert "request me-2 failed" in caplog.text
    assert "the engine broke" in caplog.text
    assert client.post("/predict", json={"text": "a"}).status_code == 200


@pytest.mark.parametrize("path", ["/models", "/models/toy", "/readyz"])
def test_a_failure_has_the_documented_form_on_all_routes(
    path: str, client: TestClient, monkeypatch, caplog
) -> None:
    def fail(_: Catalog) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        for name in ("loaded", "awaited"):
            patch.setattr(Catalog, name, property(fail))
        answer = client.get(path, headers={"X-Request-Id": "me-3"})
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "internal"
    assert "open files" not in answer.text
    assert answer.headers["x-request-id"] == "me-3"
    assert "request me-3 failed" in caplog.text
    assert caplog.text.count("Traceback") == 1
    assert "OSError: Too many open files" in caplog.text
    assert client.get(path).status_code == 200


def test_models_are_listed(client: TestClient) -> None:
    (model,) = client.get("/models").json()["models"]
    assert (model["name"], model["default"]) == ("toy", True)
    (version,) = model["versions"]
    assert version["state"] == "ready"
    assert version["engine"] == "counting"
    assert version["labels"] == ["neg", "pos"]
    assert version["metrics"] == {"validation": {"accuracy": 0.9}}
    assert client.get("/models/toy").json() == model
    missing = client.get("/models/other")
    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == "no model 'other'; there are: toy"


def test_models_say_how_they_normalise_words(client: TestClient, store: Path) -> None:
    publish(store, name="old", normalization=1)
    client.app.state.service.catalog.refresh()
    models = {
        model["name"]: model["versions"][0] for model in client.get("/models").json()["models"]
    }
    assert {name: found["normalization"] for name, found in models.items()} == {"toy": 2, "old": 1}
    text = "go\u00adod"
    answers = {
        name: client.post("/predict", json={"text": text, "model": name}).json() for name in models
    }
    assert [answers["toy"]["tokens"], answers["old"]["tokens"]] == [1, 3]


def test_documentation_needs_nothing_from_outside(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "://" not in page.split("</title>")[1]
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200


@pytest.mark.medium
@pytest.mark.parametrize("path", ["/predict", "/stream"])
def test_documented_examples_work(client: TestClient, path: str) -> None:
    schema = client.get("/openapi.json").json()
    asked = schema["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    examples = asked["schema"]["examples"]
    assert len(examples) >= 2
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    for example in examples:
        assert client.post(path, json=example).status_code == 200


def test_nothing_is_read_from_the_environment_before_an_app_is_made(monkeypatch) -> None:
    monkeypatch.setenv("GATEWISE_PORT", "9000")
    monkeypatch.setenv("GATEWISE_ENGINE", "onnx")
    assert (Settings().port, Settings().engine) == (9000, "onnx")


@pytest.mark.parametrize(
    "bad", [{"port": 70_000}, {"engine": "gpu"}, {"threads": 0}, {"model": "toy:Latest"}]
)
def test_bad_settings_are_refused(bad: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        Settings(**bad)
