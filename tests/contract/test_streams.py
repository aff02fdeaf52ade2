"""The shipped models, asked in pieces: they end where /predict does, and say why."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from models.registry import Store
from service.engines.gates import Layers
from service.engines.loading import open_engine
from service.engines.protocol import initial_state
from service.settings import Settings
from service.web.app import create_app

STORE = Path("models/store")
MODELS = ["imdb-gru", "imdb-lstm"]
TEXT = (
    "It takes its time, and the first half is dull. But then it turns into a wonderful story that "
    "I loved 👩🏽\u200d🚀 – don't miss it! Naïve? Cafe\u0301, maybe; an unforgettable film 🇩🇪🇫🇷."
)


@pytest.fixture(scope="module")
def clients() -> Iterator[tuple[TestClient, TestClient]]:
    """Two services with the shipped models."""
    with ExitStack() as stack:
        both = []
        for _ in range(2):
            app = create_app(Settings(store=STORE, engine="onnx", threads=1, deadline_ms=60_000))
            app.state.service.catalog.refresh()
            both.append(stack.enter_context(TestClient(app)))
        yield both[0], both[1]


def ask(client: TestClient, path: str, **question: Any) -> Any:
    answer = client.post(path, json=question)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.medium
@pytest.mark.parametrize("model", MODELS)
def test_pieces_end_where_the_whole_does(
    model: str, clients: tuple[TestClient, TestClient]
) -> None:
    chance = random.Random(0)
    text = TEXT * 3
    whole = ask(clients[0], "/predict", text=text, model=model)
    for _ in range(5):
        cuts = sorted(chance.sample(range(len(text)), 20))
        found: Any = {"state": None}
        for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(text)], strict=True)):
            question = {"text": text[start:end], "state": found["state"]}
            if number == 0:
                question["model"] = model
            found = ask(clients[number % 2], "/stream", **question)
            assert len(found["state"]) < 8_192
        assert found["tokens"] == whole["tokens"]
        for label, p in whole["probabilities"].items():
            assert found["prediction"]["probabilities"][label] == pytest.approx(p, abs=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_contributions_add_up(model: str, clients: tuple[TestClient, TestClient]) -> None:
    explanation = ask(clients[0], "/predict", text=TEXT, model=model, explain=True)["explanation"]
    nothing = ask(clients[0], "/predict", text="", model=model)["probabilities"]
    p, label = ask(clients[0], "/predict", text=TEXT, model=model)["score"], explanation["label"]
    odds = np.log(p / (1 - p)) - np.log(nothing[label] / (1 - nothing[label]))
    total = sum(token["contribution"] for token in explanation["tokens"])
    assert total == pytest.approx(odds, abs=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_gates_are_those_of_the_states_that_the_engine_has(model: str) -> None:
    version = Store(STORE).resolve(model)
    engine, state = open_engine(version, kind="onnx").engine, version.metadata.state
    ids = np.asarray(version.tokenizer.encode(TEXT), np.int32)
    _, after = engine.step(ids[None], initial_state(state, batch=1))
    found, gates = Layers.of(version).read(ids, None)
    assert len(gates) == len(ids)
    for name, values in found.items():
        np.testing.assert_allclose(values, after[name][0], rtol=0, atol=1e-5)
