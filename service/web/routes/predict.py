"""`POST /predict`: reads the question, finds the model, has it computed, answers."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from models.batching import Row
from service.answering.classifier import Classifier
from service.answering.early_exit import find_rule, read_until
from service.answering.tokenizing import fewest_seconds
from service.errors import INTERNAL, documented
from service.insight.examine import examine
from service.insight.explanation import MEANINGS
from service.scheduling.jobs import Reading, Ticket
from service.web.parsing import DEADLINE_DOCUMENTED, check_items, read_deadline, read_question
from service.web.schemas import (
    Answer,
    BatchResponse,
    ItemError,
    Method,
    PredictRequest,
)
from service.web.state import ServiceState, get_state

router = APIRouter()
_log = logging.getLogger(__name__)

_DOCUMENTED: dict[str, Any] = {
    "parameters": [DEADLINE_DOCUMENTED],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": PredictRequest.model_json_schema()}},
    },
}


@router.get("/explanations")
async def explain() -> dict[Method, str]:
    """Say what the contributions of each method mean, and what they do not."""
    return MEANINGS


@router.post(
    "/predict",
    response_model=Answer | BatchResponse,
    responses=documented(400, 404, 409, 413, 415, 422, 429, 503, 504),
    openapi_extra=_DOCUMENTED,
)
async def predict(request: Request) -> Response:
    """Classify one text or several."""
    state = get_state(request)
    question = await read_question(request, PredictRequest)
    classifier = state.catalog.find(question.model, version=question.version)
    items, asked = check_items(question, state.settings), read_deadline(request)
    if question.examined:
        return _json(await _examine(request, state, classifier, question, asked), {})
    read = _how_to_read(classifier, question)
    texts = [item for item in items if isinstance(item, str)]
    answers: list[Answer | ItemError] = []
    headers: dict[str, str] = {}
    if texts:
        stages: dict[str, float] = {}
        ticket = await _compute(request, state, classifier, texts, stages, asked, read)
        answers = _describe(ticket, question)
        headers["Server-Timing"] = _server_timing(stages)
        for stage, seconds in stages.items():
            state.metrics.stage_seconds.labels(stage).observe(seconds)
    if question.text is not None:
        return _json(answers[0], headers)
    rest = iter(answers)
    predictions = [item if isinstance(item, ItemError) else next(rest) for item in items]
    return _json(BatchResponse(predictions=predictions), headers)


async def _examine(
    request: Request,
    state: ServiceState,
    classifier: Classifier,
    question: PredictRequest,
    asked: float | None,
) -> Answer:
    """Return the prediction of one text and what is asked beside it."""
    started = time.monotonic()

    async def compute(readings: Sequence[Reading]) -> Ticket:
        return await state.compute(
            classifier, readings, started=started, asked=asked, receive=request.receive
        )

    return await examine(
        classifier,
        question.text or "",
        explain=question.method,
        trajectory=question.trajectory,
        gates=question.gates,
        top_k=question.top_k,
        tokenizer=state.tokenizer,
        compute=compute,
    )


def _how_to_read(classifier: Classifier, question: PredictRequest) -> Callable[[Row], Reading]:
    """Return what makes readings of texts: to their end, or until enough is known."""
    if question.stop_at is None:
        return Reading
    return partial(read_until, classifier, rule=find_rule(classifier, question.stop_at))


async def _compute(
    request: Request,
    state: ServiceState,
    classifier: Classifier,
    texts: Sequence[str],
    stages: dict[str, float],
    asked: float | None,
    read: Callable[[Row], Reading],
) -> Ticket:
    """Return the finished ticket of some texts, and in `stages` the seconds that each took."""
    started, least = time.monotonic(), fewest_seconds(classifier, texts)
    await state.scheduler.check(least, deadline=started + (asked or state.patience(least)))
    ids = await state.tokenizer.encode(classifier, texts)
    tokenized = time.monotonic()
    ticket = await state.compute(
        classifier,
        [read(row) for row in ids],
        started=started,
        asked=asked,
        receive=request.receive,
    )
    begun = ticket.started or tokenized
    stages["tokenize"] = tokenized - started
    stages["queue"] = begun - tokenized
    stages["model"] = time.monotonic() - begun
    return ticket


def _describe(ticket: Ticket, question: PredictRequest) -> list[Answer | ItemError]:
    """Return the prediction of each text; one that failed is an error in its place.

    Raises:
        Exception: What the only text failed with.
    """
    answers: list[Answer | ItemError] = []
    for job, result in zip(ticket.jobs, ticket.results, strict=True):
        if not isinstance(result, Exception):
            answer = ticket.classifier.describe(result, tokens=job.length, top_k=question.top_k)
            if question.stop_at is not None:
                answer.read, answer.truncated = job.read, job.read < job.length
            answers.append(answer)
        elif question.text is not None:
            raise result
        else:
            _log.error("text %d of a request failed", job.place, exc_info=result)
            answers.append(ItemError(error=INTERNAL))
    return answers


def _json(answer: BaseModel, headers: dict[str, str]) -> Response:
    body = answer.model_dump_json(exclude_none=True)
    return Response(body, headers=headers, media_type="application/json")


def _server_timing(stages: dict[str, float]) -> str:
    return ", ".join(f"{name};dur={seconds * 1e3:.3f}" for name, seconds in stages.items())
