"""Measures the time of each step of a request, and the limit of the processor."""

import json
import os
import statistics
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeVar

from fastapi import Request
from starlette.types import Message, Scope

from benchmarks.native.speed import measure_limit
from benchmarks.serving.lineup import BARE, LINEUP
from benchmarks.serving.measure import measure
from benchmarks.serving.place import Place
from benchmarks.serving.results import Record
from benchmarks.serving.server import Server, serving
from benchmarks.serving.traffic import Traffic
from service.answering.classifier import Classifier
from service.engines.loading import open_engine
from service.engines.native.library import supported
from service.engines.runner import Runner
from service.scheduling.slices import COMPANY
from service.settings import Settings
from service.web.app import create_app
from service.web.parsing import check_items, read_body
from service.web.responses import respond
from service.web.schemas import PredictRequest
from service.web.state import ServiceState, note_state

TEXTS = 200
ROUNDS = 5
SECONDS = 5.0
CONNECTIONS = 32

T = TypeVar("T")
Steps = dict[str, Callable[[int], object]]


def measure_steps(traffics: Sequence[Traffic], *, place: Place) -> Record:
    """Return by traffic the milliseconds of each step of a request, of the whole and the limit.

    The whole is the service's processor time for a request, with one connection and with many. Bare
    is that of uvicorn with an application that does nothing.
    """
    found: Record = {}
    for name, contestant in (("whole", LINEUP[0]), ("bare", BARE)):
        with serving(contestant, place=place) as server:
            for traffic in traffics:
                found.setdefault(traffic.name, {})[name] = _measure_cpu(server, traffic)
    os.sched_setaffinity(0, {place.core})
    engine = open_engine(place.version, kind="native").engine
    runner = Runner(engine, state=place.version.metadata.state)
    classifier = Classifier(place.version, runner=runner)
    state = create_app(Settings(store=place.store)).state.service
    limit = measure_limit(place.version.metadata.architecture, instructions=supported()[0])
    for traffic in traffics:
        texts = traffic.texts[:TEXTS]
        tokens = statistics.mean(len(classifier.encode(text)) for text in texts)
        found[traffic.name] |= {
            "tokens": tokens,
            "steps": _measure_in_turn(make_steps(texts, classifier, state), len(texts)),
            "limit": {
                "alone": 1e3 * tokens * limit.seconds(texts=1),
                "together": 1e3 * tokens * limit.seconds(texts=COMPANY),
            },
        }
    return found


def _measure_cpu(server: Server, traffic: Traffic) -> dict[str, float]:
    """Return the milliseconds of processor time for a request, with one connection and many."""
    measure(server, traffic, seconds=1)
    alone, together = (
        1e3 / measure(server, traffic, seconds=SECONDS, connections=number).per_cpu_second
        for number in (1, CONNECTIONS)
    )
    return {"alone": alone, "together": together}


def make_steps(texts: Sequence[str], classifier: Classifier, state: ServiceState) -> Steps:
    """Return the steps; each takes the number of a text."""
    requests = [_make_request(text, state) for text in texts]
    ids = [classifier.encode(text) for text in texts]
    probabilities = [classifier.runner.engine.predict([row])[0] for row in ids]

    def read(number: int) -> object:
        question = _finish(read_body(requests[number](), PredictRequest))
        return check_items(question, state.settings)

    def write(number: int) -> object:
        prediction = classifier.predict(probabilities[number], tokens=len(ids[number]))
        return respond(prediction, stages=dict.fromkeys(("tokenize", "queue", "model"), 0.0))

    return {
        "parsing the request": read,
        "text to ids": lambda number: classifier.encode(texts[number]),
        "ids to probabilities": lambda number: classifier.runner.engine.predict([ids[number]]),
        "writing the answer": write,
    }


def _finish(coroutine: Coroutine[None, None, T]) -> T:
    """Return the result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("it waits")


def _make_request(text: str, state: ServiceState) -> Callable[[], Request]:
    """Return a function that makes the request that a server would hand over."""
    body = json.dumps({"text": text}).encode()
    headers = [(b"content-type", b"application/json")]

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope: Scope = {"type": "http", "method": "POST", "headers": headers}
    note_state(scope, state)
    return lambda: Request(scope.copy(), receive)


def _measure_in_turn(steps: Steps, texts: int) -> dict[str, float]:
    """Return the milliseconds of each step for a text, medians of rounds."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            started = time.process_time()
            for number in range(texts):
                step(number)
            taken[name].append((time.process_time() - started) / texts * 1e3)
    return {name: statistics.median(times) for name, times in taken.items()}
