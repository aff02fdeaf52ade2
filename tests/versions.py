"""Makes small versions for tests, without TensorFlow."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.batching import Row, pad
from models.golden import TOLERANCE, Golden, Probabilities
from models.metadata import Architecture, DataRecord, Metadata, SplitRecord, StateTensor
from models.normalization import LATEST
from models.registry import Store
from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer
from models.versions import EXTRA, GOLDEN, TOKENIZER, WEIGHTS, Version
from service.engines import loading as opening

WORDS = ("good", "bad", "film", "the", "a", "not", "!", "##s")
STATE = (StateTensor(name="total", shape=(2,), fill=0.0),)


class CountingEngine:
    """An engine that anyone can check by hand: "good" speaks for pos, "bad" for neg."""

    name = "counting"
    tolerance = TOLERANCE

    def predict(self, rows: Sequence[Row]) -> Probabilities:
        return self.step(rows, {"total": np.zeros((len(rows), 2), np.float32)})[0]

    def step(
        self, rows: Sequence[Row], state: dict[str, Any]
    ) -> tuple[Probabilities, dict[str, Any]]:
        ids = pad(rows)
        good, bad = (np.sum(ids == id, axis=1) for id in (2, 3))
        total = state["total"] + np.stack([bad, good], axis=1).astype(np.float32)
        scores = np.exp(total - total.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True), {"total": total}


def serve_with_counting_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every version be computed by that engine, whichever is asked for."""
    monkeypatch.setattr(opening, "load_engine", lambda *_, **__: CountingEngine())
    monkeypatch.setattr(opening, "ONNX", TOKENIZER)  # with --engine=onnx; it reads no file


def make_tokenizer(normalization: int = LATEST) -> Tokenizer:
    return Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, *WORDS], normalization=normalization)


def make_metadata(**changes: Any) -> Metadata:
    split = SplitRecord(split="train", rows=10, tokens=50, sha256="0" * 64)
    fields: dict[str, Any] = {
        "name": "toy",
        "version": 1,
        "created": datetime(2026, 1, 2, tzinfo=UTC),
        "git_commit": None,
        "task": "single_label",
        "labels": ("neg", "pos"),
        "thresholds": None,
        "tokenizer_sha256": make_tokenizer().digest,
        "architecture": Architecture(
            cell="gru", layers=1, units=2, embedding=2, vocabulary=len(WORDS) + 2, parameters=9
        ),
        "streamable": True,
        "state": STATE,
        "data": DataRecord(
            source="made up",
            config=None,
            revision=None,
            text_column="text",
            label_column="label",
            train=split,
            validation=split,
            test=None,
        ),
        "settings": {"seed": 1},
        "metrics": {"validation": {"accuracy": 0.9}},
        "training": {"seconds": 1.0},
        "libraries": {"python": "3.11"},
        "files": {},
    }
    return Metadata(**fields | changes)


def save_in_format_1(metadata: Metadata, path: Path) -> None:
    """Write metadata as the first format had it, which knew no n-grams and no baseline."""
    fields = metadata.model_dump(mode="json") | {"format_version": 1}
    del fields["baseline"], fields["architecture"]["ngrams"]
    path.write_text(json.dumps(fields))


def save_in_format_3(metadata: Metadata, path: Path) -> None:
    """Write metadata as the third format had it, which looked up no n-grams."""
    fields = metadata.model_dump(mode="json") | {"format_version": 3}
    del fields["stopping"]["ahead"], fields["architecture"]["ngrams"]["scale"]
    path.write_text(json.dumps(fields))


def record_golden(texts: list[str]) -> Golden:
    ids = make_tokenizer().encode_batch(texts)
    return Golden.record(texts, ids=ids, probabilities=CountingEngine().predict(ids))


def publish(
    root: Path,
    *,
    normalization: int = LATEST,
    variables: bytes = b"",
    others: dict[str, bytes] | None = None,
    **changes: Any,
) -> Version:
    """Publish a version that answers as CountingEngine does; it has no network.

    Args:
        root: The store.
        normalization: That of its tokenizer.
        variables: Content of the file of weights; without it there is none.
        others: Further files.
        changes: Fields of the metadata.
    """
    tokenizer, store = make_tokenizer(normalization), Store(root)
    metadata = make_metadata(**{"tokenizer_sha256": tokenizer.digest} | changes)
    with store.staging(metadata.name) as folder:
        (folder / EXTRA).mkdir()
        (folder / "saved_model.pb").write_bytes(b"a graph")
        if variables:
            (folder / WEIGHTS).parent.mkdir()
            (folder / WEIGHTS).write_bytes(variables)
        for name, content in (others or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        tokenizer.save(folder / TOKENIZER)
        record_golden(["", "a good film", "bad!"]).save(folder / GOLDEN)
        return store.publish(folder, metadata=metadata)
