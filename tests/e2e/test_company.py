"""A text's answer does not depend on what else is asked."""

import http.client
import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models.registry import Store
from tests.e2e.server import ROOT, Server, running

pytestmark = pytest.mark.e2e

TEXTS = 300


def make_texts(store: Path) -> list[str]:
    """Return texts of words that the model knows, a few of them very long."""
    words = [
        token for token in Store(store).resolve("imdb-gru").tokenizer.tokens if token.isalpha()
    ]
    draw = random.Random(0)
    lengths = [int(draw.lognormvariate(3.5, 1.3)) for _ in range(TEXTS - 5)] + [4_000] * 5
    texts = [" ".join(draw.choices(words, k=length)) for length in lengths]
    draw.shuffle(texts)
    return texts


def ask(server: Server, texts: list[str], *, together: int = 1) -> np.ndarray:
    """Return the scores of texts, asked on one connection, so many in one request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    scores: list[float] = []
    for start in range(0, len(texts), together):
        body = json.dumps({"texts": texts[start : start + together]})
        connection.request("POST", "/predict", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        assert answer.status == 200, content
        scores += [found["probabilities"]["pos"] for found in content["predictions"]]
    connection.close()
    return np.array(scores)


def test_answers_are_the_same_alone_in_batches_and_under_load() -> None:
    store = ROOT / "models" / "store"
    texts = make_texts(store)
    patient = {"GATEWISE_DEADLINE_MS": "60000", "GATEWISE_THREADS": "2"}
    with running(store, GATEWISE_MODEL="imdb-gru", **patient) as server:
        alone = ask(server, texts)
        batched = ask(server, texts, together=100)
        shares = [texts[start::16] for start in range(16)]
        with ThreadPoolExecutor(16) as pool:
            parts = list(pool.map(lambda share: ask(server, share, together=3), shares))
    loaded = np.empty_like(alone)
    for start, part in enumerate(parts):
        loaded[start::16] = part
    assert alone.std() > 0.1
    np.testing.assert_allclose(batched, alone, atol=1e-5, rtol=0)
    np.testing.assert_allclose(loaded, alone, atol=1e-5, rtol=0)
