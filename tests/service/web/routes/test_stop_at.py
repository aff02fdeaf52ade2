"""That a text is read no further than its rule needs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from models.metadata import NgramTable, Stopping, WeightRecord
from models.ngrams import NAME, ORDERS
from tests.versions import make_metadata, make_tokenizer, publish

# The risk is how far the margin is below a limit: with the engine that counts, two "good" more
# than "bad" are a margin of two. The more is left, the higher it is.
RULE = Stopping(
    every=4,
    intercept=0.0,
    weights=(-1.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0),
    limits={"0.9": 0.5, "0.99": -0.5},
)


@pytest.fixture
def stopping(client: TestClient, store: Path) -> TestClient:
    publish(store, name="stops", stopping=RULE)
    client.app.state.service.catalog.refresh()
    return client


def ask(client: TestClient, **question: Any) -> Any:
    answer = client.post("/predict", json={"model": "stops", **question})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_reading_ends_once_the_margin_is_reached(stopping: TestClient) -> None:
    text = "a good good film " + "a film " * 20 + "bad " * 9
    answer = ask(stopping, text=text, stop_at=0.9)
    assert (answer["label"], answer["read"], answer["truncated"]) == ("pos", 4, True)
    assert answer["tokens"] == 53
    assert answer["probabilities"] == ask(stopping, text="a good good film")["probabilities"]


def test_the_surer_the_further(stopping: TestClient) -> None:
    text = "good good a a good good a a " + "a " * 40
    assert [ask(stopping, text=text, stop_at=at)["read"] for at in (0.9, 0.99)] == [4, 8]


def test_with_little_left_less_is_needed(stopping: TestClient) -> None:
    answer = ask(stopping, text="a good good a a a a a", stop_at=0.99)
    assert (answer["read"], answer["tokens"]) == (4, 8)


def test_what_is_not_decided_is_read_to_its_end(stopping: TestClient) -> None:
    text = "good bad film a " * 10
    answer = ask(stopping, text=text, stop_at=0.9)
    assert (answer["read"], answer["tokens"], answer["truncated"]) == (40, 40, False)
    assert answer["probabilities"] == ask(stopping, text=text)["probabilities"]


def test_each_of_several_texts_ends_for_itself(stopping: TestClient) -> None:
    texts = ["good good a a " * 5, "good bad a a " * 5, "", "bad"]
    found = ask(stopping, texts=texts, stop_at=0.9)["predictions"]
    assert [answer["read"] for answer in found] == [4, 20, 0, 1]
    assert [answer["tokens"] for answer in found] == [20, 20, 0, 1]


def test_nothing_is_said_of_it_where_it_is_not_asked_for(stopping: TestClient) -> None:
    assert "read" not in ask(stopping, text="good")


def test_there_must_be_a_rule(stopping: TestClient) -> None:
    answer = stopping.post("/predict", json={"text": "a", "stop_at": 0.97, "model": "stops"})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "there is no rule for 0.97; there are: 0.9, 0.99"
    answer = stopping.post("/predict", json={"text": "a", "stop_at": 0.9, "model": "toy"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "no_rule")


@pytest.fixture
def ahead(client: TestClient, store: Path) -> TestClient:
    """A version that stops where neither the verdict nor the n-grams of the rest speak against."""
    bad = make_tokenizer().encode("bad")[0]
    table = np.zeros((10_007, 1), np.int8)
    table[bad] = -1  # "bad" alone; n-grams of two and three are nowhere else near
    sizes = NgramTable(orders=ORDERS, buckets=len(table), columns=1, scale=20.0)
    shape = make_metadata().architecture.model_copy(update={"ngrams": sizes})
    weights = {NAME: WeightRecord(offset=0, shape=table.shape, dtype="int8")}
    rule = Stopping(
        every=4, intercept=0.0, weights=(-1.0, *[0.0] * 6, -1.0), limits={"0.9": -1.0}, ahead=True
    )
    changes = {"stopping": rule, "architecture": shape, "weights": weights}
    publish(store, name="stops", variables=table.tobytes(), **changes)
    client.app.state.service.catalog.refresh()
    return client


def test_ngrams_of_the_rest_are_known_before_it_is_read(ahead: TestClient) -> None:
    text = "a good good film " + "a film " * 6
    assert ask(ahead, text=text, stop_at=0.9)["read"] == 4
    # Two "good" are a margin of two, but a "bad" in 24 tokens will take 20 / sqrt(24) from it. When
    # it has been read, the margin is one, and nothing speaks against the verdict any more.
    assert ask(ahead, text=text + "bad film a a " + "film " * 4, stop_at=0.9)["read"] == 20
    found = ask(ahead, texts=[text, "bad a", ""], stop_at=0.9)["predictions"]
    assert [answer["read"] for answer in found] == [4, 2, 0]


def test_it_goes_with_no_look_inside(stopping: TestClient) -> None:
    answer = stopping.post("/predict", json={"text": "a", "stop_at": 0.9, "explain": True})
    assert answer.status_code == 422
