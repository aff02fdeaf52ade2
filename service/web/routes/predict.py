"""`POST /predict`: reads the request, finds the model, has it answered."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from models.batching import Row
from service.answering.answerer import Answered, Caller, ReadingPlan, read_whole
from service.answering.classifier import Classifier
from service.answering.early_exit import find_rule, read_until
from service.answering.prediction import Answer, Method
from service.insight.examine import Examination, examine
from service.insight.explanation import MEANINGS
from service.scheduling.jobs import Reading
from service.web.errors import INTERNAL, documented
from service.web.faults import log_fault
from service.web.parsing import (
    DEADLINE_DOCUMENTED,
    check_items,
    document_body,
    read_body,
    read_caller,
)
from service.web.request_id import id_of
from service.web.responses import respond
from service.web.schemas import BatchResponse, ItemError, PredictRequest
from service.web.scope import route_of
from service.web.state import ServiceState, get_state

router = APIRouter()
_log = logging.getLogger(__name__)

_DOCUMENTED: dict[str, Any] = {
    "parameters": [DEADLINE_DOCUMENTED],
    "requestBody": document_body(PredictRequest),
}


@router.get("/explanations")
async def explain() -> dict[Method, str]:
    """Say what the contributions of each method mean, and what they do not."""
    return MEANINGS


@router.post(
    "/predict",
    response_model=Answer | BatchResponse,
    responses=documented(400, 404, 408, 409, 413, 415, 422, 429, 503, 504),
    openapi_extra=_DOCUMENTED,
)
async def predict(request: Request) -> Response:
    """Classify one text or several."""
    state = get_state(request)
    question = await read_body(request, PredictRequest)
    choice = state.catalog.choose(question.model, version=question.version, request=id_of(request))
    classifier = choice.classifier
    items, caller = check_items(question, state.settings), read_caller(request)
    if question.examined:
        return await _examine(state, classifier, question, caller)
    plan = _plan(classifier, question)
    texts = [item for item in items if isinstance(item, str)]
    if not texts:
        return respond(
            BatchResponse(predictions=[item for item in items if isinstance(item, ItemError)])
        )
    answered = await state.rollouts.answer(choice, texts, caller=caller, plan=plan)
    answers = _predictions(classifier, answered, question, request)
    if question.text is not None:
        return respond(answers[0], stages=answered.stages)
    rest = iter(answers)
    predictions = [item if isinstance(item, ItemError) else next(rest) for item in items]
    return respond(BatchResponse(predictions=predictions), stages=answered.stages)


async def _examine(
    state: ServiceState, classifier: Classifier, question: PredictRequest, caller: Caller
) -> Response:
    """Answer with the prediction of one text and what is asked beside it."""
    wanted = Examination(
        explain=question.method,
        trajectory=question.trajectory,
        gates=question.gates,
        top_k=question.top_k,
    )
    text = question.text or ""
    answer, stages = await examine(state.answerer, classifier, text, wanted=wanted, caller=caller)
    return respond(answer, stages=stages)


def _plan(classifier: Classifier, question: PredictRequest) -> ReadingPlan:
    """Return how texts are read: to their end, or until the label will not change."""
    if question.stop_at is None:
        return read_whole
    rule = find_rule(classifier, question.stop_at)

    def read_early(rows: Sequence[Row]) -> list[Reading]:
        return [read_until(classifier, row, rule=rule) for row in rows]

    return read_early


def _predictions(
    classifier: Classifier, answered: Answered, question: PredictRequest, request: Request
) -> list[Answer | ItemError]:
    """Return the prediction of each text; one that failed is an error in its place.

    Raises:
        Exception: What the only text failed with.
    """
    answers: list[Answer | ItemError] = []
    for job, result in zip(answered.jobs, answered.results, strict=True):
        if not isinstance(result, Exception):
            answer = classifier.predict(result, tokens=job.length, top_k=question.top_k)
            if question.stop_at is not None:
                answer.read, answer.truncated = job.read, job.read < job.length
            answers.append(answer)
        elif question.text is not None:
            raise result
        else:
            name = id_of(request).decode()
            log_fault(_log, "text %d of the request %s failed", job.place, name, error=result)
            get_state(request).metrics.count_refusal(route_of(request.scope), INTERNAL.type)
            answers.append(ItemError(error=INTERNAL))
    return answers
