"""Health and metrics, for the operator."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from service.web.schemas import ErrorBody, Health
from service.web.state import StateDep

router = APIRouter()


@router.get("/livez", response_model_exclude_none=True)
async def live() -> Health:
    """Answer as long as the process can."""
    return Health(status="ok")


@router.get(
    "/readyz",
    response_model_exclude_none=True,
    responses={
        503: {
            "model": Health | ErrorBody,
            "description": "Loading or draining, or too many connections.",
        }
    },
)
async def ready(response: Response, state: StateDep) -> Health:
    """Say whether the service can be sent requests."""
    if state.draining:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Health(status="draining")
    if awaited := state.catalog.awaited:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Health(status="loading", reason=awaited)
    return Health(status="ready")


_TEXT = {"schema": {"type": "string"}}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": _TEXT, "application/openmetrics-text": _TEXT}}},
)
async def metrics(request: Request, state: StateDep) -> Response:
    """Give the metrics in Prometheus's text format, or as OpenMetrics where that is accepted."""
    content, media_type = state.metrics.render(request.headers.get("accept", ""))
    return Response(content, media_type=media_type, headers={"Vary": "Accept"})
