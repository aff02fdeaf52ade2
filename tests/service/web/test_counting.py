"""What the metrics say of requests, of what waits, and of what is loaded."""

import json
import shutil
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from models import __version__
from models.registry import Store
from models.steering import give_label
from service.settings import Settings
from service.web.app import create_app
from tests.versions import CountingEngine, publish


def lines(client: TestClient, *beginnings: str) -> list[str]:
    """Return the series whose names begin so."""
    text = client.get("/metrics").text
    return [line for line in text.splitlines() if line.startswith(beginnings)]


def wait_for(client: TestClient, beginning: str, wanted: list[str]) -> None:
    deadline = time.monotonic() + 20
    while (found := lines(client, beginning)) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def test_every_metric_says_what_it_is(client: TestClient) -> None:
    text = client.get("/metrics").text.splitlines()
    named = {line.split()[2] for line in text if line.startswith("# TYPE")}
    helped = {line.split()[2] for line in text if line.startswith("# HELP") and line.split()[3:]}
    assert named == helped
    assert all(name.startswith("gatewise_") for name in named)


def test_refusals_are_counted_by_type_and_route(client: TestClient) -> None:
    for body, content_type in (("{", "application/json"), ("{}", "text/plain"), ("[]", "")):
        client.post("/predict", content=body, headers={"content-type": content_type})
    client.post("/predict", json={"text": "good", "model": "none"})
    client.post("/stream", json={"text": "good", "state": "made up"})
    client.get("/nowhere")
    with client.websocket_connect("/stream") as socket:
        socket.send_text("{")
        socket.receive_text()
    assert lines(client, "gatewise_refusals_total") == [
        'gatewise_refusals_total{route="/predict",type="malformed"} 1.0',
        'gatewise_refusals_total{route="/predict",type="unsupported_media_type"} 2.0',
        'gatewise_refusals_total{route="/predict",type="not_found"} 1.0',
        'gatewise_refusals_total{route="/stream",type="bad_state"} 1.0',
        'gatewise_refusals_total{route="unknown",type="not_found"} 1.0',
        'gatewise_refusals_total{route="/stream",type="malformed"} 1.0',
    ]
    assert lines(client, "gatewise_stream_messages_total") == ["gatewise_stream_messages_total 1.0"]


def test_a_fault_of_ours_is_counted_as_internal(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(client.app.state.service.catalog, "choose", fail)
    assert client.post("/predict", json={"text": "good"}).status_code == 500
    assert lines(client, "gatewise_refusals_total") == [
        'gatewise_refusals_total{route="/predict",type="internal"} 1.0'
    ]
    assert lines(client, "gatewise_requests_in_flight") == ["gatewise_requests_in_flight 1.0"]


def test_a_text_that_fails_alone_is_counted_and_logged(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    step = CountingEngine.step

    def fail_at_bad(engine: CountingEngine, rows, state):
        if any(3 in row for row in rows):
            raise RuntimeError("broken")
        return step(engine, rows, state)

    monkeypatch.setattr(CountingEngine, "step", fail_at_bad)
    texts = {"texts": ["good", "bad"]}
    client.post("/predict", json=texts, headers={"x-request-id": "me-4"})
    assert lines(client, "gatewise_refusals_total") == [
        'gatewise_refusals_total{route="/predict",type="internal"} 1.0'
    ]
    assert "text 1 of the request me-4 failed" in caplog.text


def test_stages_of_all_routes_are_told_apart(client: TestClient) -> None:
    client.post("/predict", json={"text": "good"})
    client.post("/predict", json={"text": "good", "explain": True})
    client.post("/stream", json={"text": "good"})
    with client.websocket_connect("/stream") as socket:
        socket.send_text(json.dumps({"text": "good"}))
        socket.receive_text()
    assert lines(client, "gatewise_stage_seconds_count") == [
        f'gatewise_stage_seconds_count{{route="{route}",stage="{stage}"}} 2.0'
        for route in ("/predict", "/stream")
        for stage in ("tokenize", "queue", "model")
    ]


def test_batches_are_counted_and_nothing_is_left_waiting(client: TestClient) -> None:
    client.post("/predict", json={"texts": ["good", "bad", "good bad"]})
    (spent,) = lines(client, "gatewise_compute_seconds_total ")
    assert 0 < float(spent.split()[1]) < 5
    assert lines(client, "gatewise_batch_texts_sum") == ["gatewise_batch_texts_sum 3.0"]
    assert lines(client, "gatewise_backlog", "gatewise_compute_threads") == [
        "gatewise_compute_threads 2.0",
        "gatewise_backlog_tokens 0.0",
        "gatewise_backlog_seconds 0.0",
    ]


def test_versions_come_and_go(client: TestClient, store: Path) -> None:
    engine = 'engine="counting"'
    first = f'gatewise_version_loaded{{{engine},model="toy",version="1"}} 1.0'
    second = f'gatewise_version_loaded{{{engine},model="toy",version="2"}} 1.0'
    wait_for(client, "gatewise_version_loaded{", [first])
    publish(store, version=2)
    give_label(Store(store), Store(store).resolve("toy:2"), "stable")
    label = 'gatewise_version_label{label="stable",model="toy",version="2"} 1.0'
    wait_for(client, "gatewise_version_label{", [label])
    assert second in lines(client, "gatewise_version_loaded{")
    shutil.rmtree(store / "toy" / "1")
    wait_for(client, "gatewise_version_loaded{", [second])
    (store / "toy" / "2" / "assets.extra" / "tokenizer.json").write_text("{}")
    failed = 'gatewise_version_failed{model="toy",version="2"} 1.0'
    wait_for(client, "gatewise_version_failed{", [failed])
    assert lines(client, "gatewise_version_loaded{") == []


def test_labels_that_cannot_be_read_are_told(client: TestClient, store: Path) -> None:
    (store / "toy" / "labels.json").write_text("{")
    wait_for(
        client,
        "gatewise_version_labels_failed{",
        ['gatewise_version_labels_failed{model="toy"} 1.0'],
    )


@pytest.mark.medium
def test_a_look_at_the_store_that_fails_is_counted_and_the_last_good_one_known(
    store: Path,
) -> None:
    app = create_app(Settings(store=store, poll_seconds=0.01))
    with TestClient(app) as client:
        wait_for(client, "gatewise_ready", ["gatewise_ready 1.0"])
        store.rename(store.with_name("away"))
        deadline = time.monotonic() + 20
        while lines(client, "gatewise_store_refresh_failures_total")[0].endswith(" 0.0"):
            assert time.monotonic() < deadline
        good = float(lines(client, "gatewise_store_refresh_timestamp_seconds")[0].split()[1])
        assert 0 <= time.time() - good < 20
        assert lines(client, "gatewise_ready") == ["gatewise_ready 1.0"]  # what is loaded answers


def test_the_release_that_runs_is_told(client: TestClient) -> None:
    (line,) = lines(client, "gatewise_build_info{")
    assert f'version="{__version__}"' in line
    assert line.endswith(" 1.0")
    assert lines(client, "gatewise_processes") == ["gatewise_processes 1.0"]
