"""`POST /predict`: checks the question, finds the model, answers."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from service.classifier import Classified, Classifier
from service.errors import Invalid, ServiceError, TooLarge, UnsupportedMediaType, documented
from service.schemas import (
    BatchResponse,
    ItemError,
    MultiLabelPrediction,
    Prediction,
    PredictRequest,
)
from service.state import ServiceState, StateDep

router = APIRouter()


def require_json(request: Request) -> None:
    """Raise UnsupportedMediaType unless the body is declared as JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType(f"send application/json, not {media_type or 'an unnamed type'}")


@router.post(
    "/predict",
    dependencies=[Depends(require_json)],
    responses=documented(400, 404, 413, 415, 422, 503),
    response_model_exclude_none=True,
)
async def predict(
    question: PredictRequest, response: Response, state: StateDep
) -> Prediction | MultiLabelPrediction | BatchResponse:
    """Classify one text or several."""
    classifier = state.catalog.find(question.model, version=question.version)
    items = _items(question, state)
    texts = [item for item in items if isinstance(item, str)]
    classified, waited = await _classify(classifier, texts, question.top_k, state)
    stages = {
        "tokenize": classified.tokenize_seconds,
        "queue": waited,
        "model": classified.model_seconds,
    }
    response.headers["Server-Timing"] = _server_timing(stages)
    _count(classified, classifier, stages, state)
    if question.text is not None:
        return classified.predictions[0]
    answers = iter(classified.predictions)
    return BatchResponse(
        predictions=[item if isinstance(item, ItemError) else next(answers) for item in items]
    )


def _items(question: PredictRequest, state: ServiceState) -> list[str | ItemError]:
    """Return the texts of a question, an error in the place of each that is none."""
    if question.text is not None:
        return [_check_text(question.text, "text", state)]
    texts = question.texts or []
    if not texts:
        raise Invalid("give at least one text", field="texts")
    if len(texts) > state.settings.max_texts:
        limit = state.settings.max_texts
        raise TooLarge(f"{len(texts):,} texts are more than {limit:,}", field="texts")
    items: list[str | ItemError] = []
    for index, text in enumerate(texts):
        try:
            items.append(_check_text(text, f"texts.{index}", state))
        except ServiceError as error:
            items.append(ItemError(error=error.error))
    return items


def _check_text(text: Any, field: str, state: ServiceState) -> str:
    if not isinstance(text, str):
        raise Invalid(f"a text is a string, not {_json_type(text)}", field=field)
    if len(text) > (limit := state.settings.max_chars):
        raise TooLarge(f"{len(text):,} characters are more than {limit:,}", field=field)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Invalid(
            f"character {error.start} is half of a surrogate pair, so this is no text", field=field
        ) from None
    return text


def _json_type(value: Any) -> str:
    names = {dict: "an object", list: "a list", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


async def _classify(
    classifier: Classifier, texts: Sequence[str], top_k: int | None, state: ServiceState
) -> tuple[Classified, float]:
    """Classify in a worker thread; return also the seconds until a thread was free."""
    if not texts:
        return Classified([], 0, 0.0, 0.0), 0.0
    asked = time.perf_counter()

    def work() -> tuple[Classified, float]:
        waited = time.perf_counter() - asked
        return classifier.classify(texts, top_k=top_k), waited

    return await asyncio.get_running_loop().run_in_executor(state.workers, work)


def _server_timing(stages: dict[str, float]) -> str:
    return ", ".join(f"{name};dur={seconds * 1e3:.3f}" for name, seconds in stages.items())


def _count(
    classified: Classified, classifier: Classifier, stages: dict[str, float], state: ServiceState
) -> None:
    version = (classifier.metadata.name, str(classifier.metadata.version))
    state.metrics.texts.labels(*version).inc(len(classified.predictions))
    state.metrics.tokens.labels(*version).inc(classified.tokens)
    for stage, seconds in stages.items():
        state.metrics.stage_seconds.labels(stage).observe(seconds)
