"""Compares the answers of both checkouts."""

from collections.abc import Sequence
from typing import Any

from benchmarks.sameness.checkout import MODELS, Pair
from benchmarks.sameness.documents import compare_documents, compare_metrics, read_counters
from benchmarks.sameness.refusals import compare_overload, compare_refusals
from benchmarks.sameness.report import Report
from benchmarks.sameness.server import Servers, serving
from benchmarks.sameness.streams import (
    compare_explained_streams,
    compare_messages,
    compare_states,
    compare_streams,
)
from benchmarks.sameness.texts import ODD

BATCH = 20  # texts of a request with several
SAVEDMODEL_SHARE = 10  # one text in so many goes to TensorFlow too
TRAJECTORIES, EXPLAINED, OCCLUDED = 200, 30, 10  # texts at most, for their cost
EXPLAINED_CHARACTERS, OCCLUDED_CHARACTERS = 500, 400


def compare_serving(pair: Pair, report: Report, texts: Sequence[str]) -> None:
    """Compare the services of both checkouts, with each model and engine."""
    for model in MODELS:
        with serving(pair, report, model=model) as servers:
            _compare_model(servers, report, f"{model}, onnx", texts)
        with serving(pair, report, model=model, timed=True) as servers:
            _compare_as_timed(servers, report, f"{model}, onnx, clocks as in life", texts)
            if model == MODELS[0]:
                compare_refusals(servers, report)
                compare_overload(servers, report)
        few = texts[: max(1, len(texts) // SAVEDMODEL_SHARE)]
        with serving(pair, report, model=model, engine="savedmodel") as servers:
            _compare_model(servers, report, f"{model}, savedmodel", few)


def _compare_model(servers: Servers, report: Report, name: str, texts: Sequence[str]) -> None:
    counted = servers.both(read_counters)
    compare_documents(servers, report, name)
    _compare_predictions(servers, report, name, [*ODD, *texts])
    _compare_examined(servers, report, name, texts)
    compare_streams(servers, report, name, [*ODD, *texts])
    compare_explained_streams(servers, report, name, texts)
    compare_messages(servers, report, name, texts)
    compare_states(servers, report, name, texts)
    compare_metrics(servers, report, name, counted)


def _compare_predictions(servers: Servers, report: Report, name: str, texts: Sequence[str]) -> None:
    """Compare predictions of texts, alone and together, with and without early exit."""
    alone: tuple[dict[str, Any], ...] = ({}, {"stop_at": 0.95})
    together: tuple[dict[str, Any], ...] = (
        {"top_k": 1},
        {"stop_at": 0.9},
        {"stop_at": 0.99, "top_k": 1},
    )
    for extra in alone:
        for text in texts:
            servers.same_answer("/predict", {"text": text, **extra})
        report.same(
            f"{name}: POST /predict, one text{f' {extra}' if extra else ''}, {len(texts):,} texts"
        )
    for extra in together:
        for start in range(0, len(texts), BATCH):
            few = texts[start : start + BATCH]
            servers.same_answer("/predict", {"texts": few, **extra})
        report.same(f"{name}: POST /predict, {BATCH} texts {extra}, {len(texts):,} texts")


def _compare_examined(servers: Servers, report: Report, name: str, texts: Sequence[str]) -> None:
    """Compare explanations, trajectories and gates."""
    short = [text for text in texts if len(text) <= EXPLAINED_CHARACTERS][:EXPLAINED]
    shortest = [text for text in short if len(text) <= OCCLUDED_CHARACTERS][:OCCLUDED]
    kinds: list[tuple[dict[str, Any], Sequence[str]]] = [
        ({"trajectory": True}, [*ODD, *texts[:TRAJECTORIES]]),
        ({"explain": "prefix"}, short),
        ({"explain": True, "trajectory": True, "gates": True, "top_k": 1}, short),
        ({"explain": "occlusion", "gates": True}, shortest),
    ]
    for extra, some in kinds:
        for text in some:
            servers.same_answer("/predict", {"text": text, **extra})
        report.same(f"{name}: POST /predict {extra}, {len(some):,} texts")


def _compare_as_timed(servers: Servers, report: Report, name: str, texts: Sequence[str]) -> None:
    """Compare texts whose slices are as long as the measured cost allows."""
    same = total = 0
    for start in range(0, len(texts), BATCH):
        total += 1
        few = texts[start : start + BATCH]
        same += servers.nearly_same_answer("/predict", {"texts": few})
    report.same(
        f"{name}: POST /predict, {BATCH} texts, {len(texts):,} texts: within 2e-7, "
        f"{same:,} of {total:,} answers in the same bytes"
    )
    compare_states(servers, report, f"{name}, signed", texts, tolerant=True)
