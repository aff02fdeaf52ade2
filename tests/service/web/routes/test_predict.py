import asyncio
import json
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from models.versions import METADATA
from service.answering.prediction import MultiLabelPrediction, Prediction
from service.scheduling import inline
from service.scheduling.scheduler import Scheduler
from service.web.schemas import BatchResponse, ErrorBody
from tests.versions import CountingEngine, publish, save_in_format_1

JSON = {"content-type": "application/json"}


def test_a_text_gets_a_label(client: TestClient) -> None:
    answer = client.post("/predict", json={"text": "A good film!"})
    assert answer.status_code == 200
    assert answer.json() == {
        "label": "pos",
        "score": pytest.approx(0.7310586),
        "probabilities": {"pos": pytest.approx(0.7310586), "neg": pytest.approx(0.2689414)},
        "model": "toy",
        "version": 1,
        "tokens": 4,
        "truncated": False,
    }
    Prediction.model_validate(answer.json())


def test_the_empty_text_is_answered(client: TestClient) -> None:
    answer = client.post("/predict", json={"text": ""})
    assert answer.status_code == 200
    assert answer.json()["tokens"] == 0
    assert answer.json()["probabilities"] == {"neg": 0.5, "pos": 0.5}


def test_a_model_of_several_labels_gives_a_list(client: TestClient, store: Path) -> None:
    publish(store, name="tags", task="multi_label", thresholds=(0.6, 0.25))
    client.app.state.service.catalog.refresh()
    texts = ["good", "", "bad", "bad bad"]
    answer = client.post("/predict", json={"texts": texts, "model": "tags"}).json()
    labels = [prediction["labels"] for prediction in answer["predictions"]]
    assert labels == [["pos"], ["pos"], ["neg", "pos"], ["neg"]]
    for prediction in answer["predictions"]:
        assert not {"label", "score"} & set(prediction)
        MultiLabelPrediction.model_validate(prediction)


def test_no_label_at_all_may_be_given(client: TestClient, store: Path) -> None:
    publish(store, name="tags", task="multi_label", thresholds=(0.6, 0.6))
    client.app.state.service.catalog.refresh()
    answer = client.post("/predict", json={"text": "", "model": "tags"})
    assert answer.status_code == 200
    assert answer.json()["labels"] == []
    assert answer.json()["probabilities"] == {"neg": 0.5, "pos": 0.5}


def test_a_rare_label_is_given_before_it_is_the_likeliest(client: TestClient, store: Path) -> None:
    publish(store, name="rare", thresholds=(1.0, 0.25))
    client.app.state.service.catalog.refresh()
    answer = client.post("/predict", json={"text": "bad", "model": "rare", "explain": True}).json()
    assert answer["label"] == answer["explanation"]["label"] == "pos"
    assert list(answer["probabilities"]) == ["neg", "pos"]
    assert answer["score"] == answer["probabilities"]["pos"] < 0.5
    (version,) = client.get("/models/rare").json()["versions"]
    assert version["thresholds"] == {"neg": 1.0, "pos": 0.25}


def test_versions_of_format_1_are_served(client: TestClient, store: Path) -> None:
    version = publish(store, name="old")
    save_in_format_1(version.metadata, version.path / METADATA)
    client.app.state.service.catalog.refresh()
    answer = client.post("/predict", json={"text": "good", "model": "old"})
    assert (answer.status_code, answer.json()["label"]) == (200, "pos")


@pytest.mark.parametrize("given", ["null", "1", "1.0"])
def test_a_whole_number_may_be_written_with_a_point(given: str, client: TestClient) -> None:
    body = f'{{"text": "good", "top_k": {given}, "version": {given}}}'
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code == 200
    assert len(answer.json()["probabilities"]) == (2 if given == "null" else 1)


@pytest.mark.parametrize("text", ["\x00", "\ufeff", "\U0010ffff", "\r\n", "👩‍👩‍👧", "a" * 500])
def test_any_text_is_answered(text: str, client: TestClient) -> None:
    assert client.post("/predict", json={"text": text}).status_code == 200


def test_texts_are_answered_in_their_order(client: TestClient) -> None:
    texts = ["good", "a bad bad film, not the film", "", "good good"]
    answer = client.post("/predict", json={"texts": texts})
    assert answer.status_code == 200
    predictions = BatchResponse.model_validate(answer.json()).predictions
    alone = [client.post("/predict", json={"text": text}).json() for text in texts]
    assert [prediction.model_dump(exclude_none=True) for prediction in predictions] == alone


def test_a_bad_item_fails_alone(client: TestClient) -> None:
    body = '{"texts": ["good", 5, null, "\\ud800", "%s"]}' % ("a" * 501)
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code == 200
    good, *bad = answer.json()["predictions"]
    assert good["label"] == "pos"
    assert bad == [
        {
            "error": {
                "type": "invalid",
                "message": "a text is a string, not a number",
                "field": "texts.1",
            }
        },
        {
            "error": {
                "type": "invalid",
                "message": "a text is a string, not null",
                "field": "texts.2",
            }
        },
        {
            "error": {
                "type": "invalid",
                "message": "character 0 is half of a surrogate pair, so this is no text",
                "field": "texts.3",
            }
        },
        {
            "error": {
                "type": "too_large",
                "message": "501 characters are more than 500",
                "field": "texts.4",
            }
        },
    ]


def test_only_bad_items_are_answered_too(client: TestClient) -> None:
    answer = client.post("/predict", json={"texts": [True, {}, []]})
    assert answer.status_code == 200
    messages = [item["error"]["message"] for item in answer.json()["predictions"]]
    assert messages == [
        f"a text is a string, not {kind}" for kind in ("a truth value", "an object", "a list")
    ]


def test_top_k_limits_the_probabilities(client: TestClient) -> None:
    answer = client.post("/predict", json={"text": "bad", "top_k": 1}).json()
    assert list(answer["probabilities"]) == ["neg"]
    many = client.post("/predict", json={"text": "bad", "top_k": 99}).json()
    assert list(many["probabilities"]) == ["neg", "pos"]


def test_model_and_version_can_be_named(client: TestClient) -> None:
    question = {"text": "good", "model": "toy", "version": 1}
    assert client.post("/predict", json=question).json()["version"] == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("", 400, {"type": "malformed", "message": "the body is empty or null"}),
        ("{", 400, {"type": "malformed"}),
        ("{'text': 'a'}", 400, {"type": "malformed"}),
        ('{"text": "a"} x', 400, {"type": "malformed"}),
        (b"\xff\xfe", 400, {"type": "malformed"}),
        ("[" * 100_000, 413, {"type": "too_large"}),
        (
            "[" * 1_900,
            400,
            {"type": "malformed", "message": "the body is nested more than 16 levels deep"},
        ),
        ('{"text": "a", "x": %s}' % ("[" * 17 + "]" * 17), 400, {"type": "malformed"}),
        ('{"text": "a", "x": %s}' % ("[" * 15 + "]" * 15), 422, {"field": "x"}),
        (
            '{"texts": [%s]}' % ("[]," * 150 + "1"),
            413,
            {"type": "too_large", "message": "the body has more than 110 values"},
        ),
        (
            json.dumps(dict.fromkeys(map(str, range(101)))),
            422,
            {"message": "an object has 101 fields, more than 100"},
        ),
        ("[]", 422, {"type": "invalid", "message": "send a JSON object, not a list"}),
        ('"text"', 422, {"type": "invalid", "message": "send a JSON object, not a string"}),
        ("null", 400, {"type": "malformed"}),
        ("{}", 422, {"type": "invalid", "message": 'give either "text" or "texts"'}),
        (
            '{"text": "a", "texts": ["b"]}',
            422,
            {"type": "invalid", "message": 'give either "text" or "texts"'},
        ),
        ('{"text": null}', 422, {"type": "invalid"}),
        ('{"text": 5}', 422, {"type": "invalid", "field": "text"}),
        ('{"text": ["a"]}', 422, {"type": "invalid", "field": "text"}),
        ('{"text": "\\ud800"}', 422, {"type": "invalid", "field": "text"}),
        ('{"texts": "a"}', 422, {"type": "invalid", "field": "texts"}),
        ('{"texts": []}', 422, {"type": "invalid", "field": "texts"}),
        ('{"texts": ["a","a","a","a","a","a"]}', 413, {"type": "too_large", "field": "texts"}),
        ('{"text": "a", "top_k": 0}', 422, {"type": "invalid", "field": "top_k"}),
        ('{"text": "a", "top_k": true}', 422, {"type": "invalid", "field": "top_k"}),
        ('{"text": "a", "topk": 1}', 422, {"type": "invalid", "field": "topk"}),
        ('{"text": "a", "version": 0}', 422, {"type": "invalid", "field": "version"}),
        (
            '{"text": "a", "explain": "why"}',
            422,
            {
                "type": "invalid",
                "message": "Input should be a valid boolean; or: "
                "Input should be 'prefix' or 'occlusion'",
                "field": "explain",
            },
        ),
        (
            '{"text": "a", "model": "other"}',
            404,
            {
                "type": "not_found",
                "message": "no model 'other'; there are: toy",
                "field": "model",
            },
        ),
        ('{"text": "a", "model": "\\u0000"}', 404, {"type": "not_found"}),
        (
            '{"text": "a", "version": 7}',
            404,
            {
                "type": "not_found",
                "message": "no version 7 of 'toy' is loaded; there are: 1",
                "field": "version",
            },
        ),
        (json.dumps({"text": "a" * 501}), 413, {"type": "too_large", "field": "text"}),
        (json.dumps({"text": "a" * 3_000}), 413, {"type": "too_large"}),
    ],
)
def test_bad_requests(body: str | bytes, status: int, error: dict, client: TestClient) -> None:
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code == status
    found = ErrorBody.model_validate(answer.json()).error.model_dump()
    assert found["message"]
    assert {key: found[key] for key in error} == error
    assert client.post("/predict", json={"text": "good"}).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx", "x" * 5_000],
)
def test_a_body_not_declared_as_json_is_refused(content_type: str, client: TestClient) -> None:
    answer = client.post(
        "/predict", content='{"text": "a"}', headers={"content-type": content_type}
    )
    assert answer.status_code == 415
    assert answer.json()["error"]["type"] == "unsupported_media_type"
    assert len(answer.text) < 300


def test_a_body_that_is_packed_is_refused(client: TestClient) -> None:
    answer = client.post("/predict", content=b"{}", headers=JSON | {"content-encoding": "gzip"})
    assert answer.status_code == 415
    assert "'gzip'" in answer.json()["error"]["message"]


def test_a_deadline_of_thousands_of_digits_is_none(client: TestClient) -> None:
    answer = client.post("/predict", json={"text": "a"}, headers={"X-Deadline-Ms": "9" * 5_000})
    assert answer.status_code == 422
    assert len(answer.text) < 300


def test_a_wrong_deadline_or_certainty_is_told_where_no_text_is_good(client: TestClient) -> None:
    body = {"texts": [1]}
    answer = client.post("/predict", json=body, headers={"X-Deadline-Ms": "soon"})
    assert answer.status_code == 422
    answer = client.post("/predict", json=body | {"stop_at": 0.5})  # of a version without a rule
    assert answer.status_code == 409


def test_what_is_much_too_long_is_not_repeated(client: TestClient) -> None:
    for body in ({"text": "a", "model": "a" * 1_000}, {"text": "a", "k" * 1_000: 1}):
        answer = client.post("/predict", json=body)
        assert answer.status_code == 422
        assert len(answer.text) < 300


def test_a_body_declared_too_large_is_not_waited_for(client: TestClient) -> None:
    sent: list[dict] = []

    async def leave() -> dict:
        assert len(sent) == 2, "it waited before it answered"
        return {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"99999999")]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers}
    asyncio.run(client.app(scope | {"query_string": b""}, leave, send))
    assert sent[0]["status"] == 413


@pytest.mark.parametrize(
    "charset", ["utf-8", "UTF8", '"utf-8"', "us-ascii", " utf-8 ; profile=x", ""]
)
def test_a_charset_may_be_declared(charset: str, client: TestClient) -> None:
    headers = {"content-type": f"Application/JSON; charset={charset}"}
    answer = client.post("/predict", content='{"text": "good"}', headers=headers)
    assert (answer.status_code, answer.json()["label"]) == (200, "pos")


@pytest.mark.parametrize(
    "charset", ["iso-8859-1", "windows-1252", "GBK", '"latin1"', "utf-7", "x" * 5_000]
)
def test_other_charsets_are_refused(charset: str, client: TestClient) -> None:
    """What is declared is not what JSON is, so one of both is wrong."""
    headers = {"content-type": f"application/json; charset={charset}"}
    answer = client.post(
        "/predict", content='{"text": "caf\xe9"}'.encode("latin-1"), headers=headers
    )
    assert answer.status_code == 415
    assert "send JSON in UTF-8, not in" in answer.json()["error"]["message"]
    assert len(answer.text) < 300


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_that_json_has_had_are_read(encoding: str, client: TestClient) -> None:
    question = '{"text": "good", "model": "toy"}'.encode(encoding)
    answer = client.post("/predict", content=question, headers=JSON)
    assert (answer.status_code, answer.json()["label"]) == (200, "pos")


@pytest.mark.parametrize(
    ("encoding", "byte"), [("latin-1", "byte 12 is 0xe9"), ("cp850", "byte 12 is 0x82")]
)
def test_other_bytes_are_told_by_place(encoding: str, byte: str, client: TestClient) -> None:
    """As curl sends them from a Windows command line."""
    body = '{"text":"caf\xe9"}'.encode(encoding)
    answer = client.post("/predict", content=body, headers=JSON)
    message = f"the body is not UTF-8: {byte}; send JSON in UTF-8"
    assert answer.status_code == 400
    assert answer.json()["error"] == {"type": "malformed", "message": message}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"text": "good", "text": "bad"}', "text"),
        ('{"text": "good", "model": "toy", "model": "toy"}', "model"),
        ('{"texts": ["good"], "text": "bad", "texts": null}', "texts"),
        ('{"text": {"a": 1, "b": 2, "a": 1}}', "a"),
        ('{"text": "good", "\\ud800": 1, "\\ud800": 2}', "?"),
        ('{"K": 1, "K": 2}'.replace("K", "k" * 900), "k" * 100),
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/stream"])
def test_a_field_that_is_given_twice_is_refused(
    path: str, body: str, field: str, client: TestClient
) -> None:
    answer = client.post(path, content=body, headers=JSON)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["field"] == field
    assert error["message"].endswith("is given more than once")
    assert len(answer.text) < 400


def test_a_body_of_undeclared_length_is_limited_too(client: TestClient) -> None:
    def chunks():
        yield b'{"text": "'
        for _ in range(100):
            yield b"a" * 100
        yield b'"}'

    answer = client.post("/predict", content=chunks(), headers=JSON)
    assert answer.status_code == 413


def test_unknown_paths_and_methods_are_told_in_the_same_form(client: TestClient) -> None:
    missing, wrong = client.get("/nowhere"), client.get("/predict")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"
    several = client.options("/admin/models/toy/labels/stable")
    assert (several.status_code, several.headers["allow"]) == (405, "DELETE, PUT")
    files = client.post("/page/page.css")
    assert (files.status_code, files.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("given", ["", "0", "-5", "1.5", "soon", "3600001"])
def test_a_deadline_is_a_number_of_milliseconds(given: str, client: TestClient) -> None:
    answer = client.post("/predict", json={"text": "a"}, headers={"X-Deadline-Ms": given})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "X-Deadline-Ms"
    assert repr(given) in answer.json()["error"]["message"]


@pytest.mark.medium
def test_a_deadline_that_passes_is_told(client: TestClient, monkeypatch) -> None:
    def wait(*arguments):
        time.sleep(0.2)
        return predict(*arguments)

    predict = CountingEngine.predict
    monkeypatch.setattr(CountingEngine, "predict", wait)
    monkeypatch.setattr(inline, "LONGEST", 0)  # the event loop keeps no deadline itself
    answer = client.post("/predict", json={"text": "a"}, headers={"X-Deadline-Ms": "20"})
    assert answer.status_code == 504
    assert answer.json()["error"]["type"] == "deadline_passed"
    enough = client.post("/predict", json={"text": "a"}, headers={"X-Deadline-Ms": "30000"})
    assert enough.status_code == 200


def test_a_text_that_cannot_be_computed_fails_alone(client: TestClient, monkeypatch) -> None:
    def fail(engine, rows):
        if any(3 in row for row in rows):  # "bad"
            raise RuntimeError("the engine broke")
        return predict(engine, rows)

    predict = CountingEngine.predict
    monkeypatch.setattr(CountingEngine, "predict", fail)
    answer = client.post("/predict", json={"texts": ["good", "bad", "good"]})
    assert answer.status_code == 200
    one, two, three = answer.json()["predictions"]
    assert one["label"] == three["label"] == "pos"
    assert two["error"]["type"] == "internal"
    assert "broke" not in answer.text


def test_more_than_can_be_done_in_time_is_refused(client: TestClient, monkeypatch) -> None:
    scheduler = client.app.state.service.scheduler
    monkeypatch.setattr(scheduler._backlog, "seconds_before", lambda due: 60.0)
    monkeypatch.setattr(Scheduler, "has_work", True)
    answer = client.post("/predict", json={"text": "a"})
    assert answer.status_code == 429
    assert answer.json()["error"]["type"] == "overloaded"
    assert int(answer.headers["retry-after"]) == answer.json()["error"]["retry_after"] >= 1
