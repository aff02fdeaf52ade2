"""Errors that a client is told of, and the one place that turns them into answers.

ServiceError
├── Malformed               400  the body is not JSON
├── BadState                400  the state of a stream is not as it was given
├── NotFound                404  no such model or version
├── ReplayRequired          409  the stream must be sent again from its start
├── Unfit                   409
│   ├── NotStreamable            the version reads whole texts only
│   ├── NoWeights                the version does not say where its weights are
│   └── NoRule                   the version has no rule to stop by
├── TooLarge                413  body, text or list over its limit
├── UnsupportedMediaType    415  the body is not declared as JSON
├── Invalid                 422  JSON, but not a valid question
├── Overloaded              429  too much to do to answer in time
├── ClientGone              499  nobody waits for the answer; seen in metrics only
├── Unavailable             503  nothing is loaded that could answer
└── DeadlinePassed          504  not answered in time

Every error body is {"error": {"type", "message"}}, with "field" where one is to blame, and with
"retry_after" where waiting helps.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service.web.schemas import ErrorBody, ErrorDetail

INTERNAL = ErrorDetail(type="internal", message="this is our fault; the log has the details")


class ServiceError(HTTPException):
    """An error with a status and a type. An HTTPException, so that FastAPI lets it through."""

    status: int = HTTPStatus.INTERNAL_SERVER_ERROR
    type = "internal"
    retry_after: int | None = None

    def __init__(
        self, message: str, *, field: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(self.status, message, headers)
        self.field = field

    @property
    def error(self) -> ErrorDetail:
        """The error as it stands in an answer."""
        return ErrorDetail(
            type=self.type, message=self.detail, field=self.field, retry_after=self.retry_after
        )


class Malformed(ServiceError):
    """The body is not JSON."""

    status, type = HTTPStatus.BAD_REQUEST, "malformed"


class BadState(ServiceError):
    """The state of a stream is not as it was given."""

    status, type = HTTPStatus.BAD_REQUEST, "bad_state"

    def __init__(self) -> None:
        message = "this is no state that was given here; send the text from its start, state null"
        super().__init__(message, field="state")


class NotFound(ServiceError):
    """No such model or version."""

    status, type = HTTPStatus.NOT_FOUND, "not_found"


class ReplayRequired(ServiceError):
    """The stream must be sent again from its start."""

    status, type = HTTPStatus.CONFLICT, "replay_required"

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; send the text from its start, state null", field="state")


class Unfit(ServiceError):
    """The version lacks what is asked of it.

    Args:
        reference: The version as name:number.
    """

    status = HTTPStatus.CONFLICT
    lack: str
    asked: str | None = None

    def __init__(self, reference: str) -> None:
        super().__init__(f"{reference} {self.lack}", field=self.asked)


class NotStreamable(Unfit):
    """The version reads whole texts only."""

    type, lack = "not_streamable", "reads whole texts only"


class NoWeights(Unfit):
    """The version does not say where its weights are."""

    type, asked = "no_weights", "gates"
    lack = "is of a format without gates; train it again"


class NoRule(Unfit):
    """The version has no rule to stop by."""

    type, asked = "no_rule", "stop_at"
    lack = "has no rule to stop by; train it again"


class TooLarge(ServiceError):
    """Body, text or list over its limit."""

    status, type = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"


class UnsupportedMediaType(ServiceError):
    """The body is not declared as JSON."""

    status, type = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"


class Invalid(ServiceError):
    """JSON, but not a valid question."""

    status, type = HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"


class Overloaded(ServiceError):
    """There is too much to do to answer in time.

    Args:
        message: How much.
        retry_after: Seconds after which there will be time, if nobody else comes.
    """

    status, type = HTTPStatus.TOO_MANY_REQUESTS, "overloaded"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})
        self.retry_after = retry_after


class ClientGone(ServiceError):
    """Nobody waits for the answer."""

    status, type = 499, "client_gone"


class Unavailable(ServiceError):
    """Nothing is loaded that could answer."""

    status, type = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"


class DeadlinePassed(ServiceError):
    """Not answered in time."""

    status, type = HTTPStatus.GATEWAY_TIMEOUT, "deadline_passed"


_DESCRIPTIONS = {
    400: "The body is not JSON, or the state of a stream not as it was given.",
    404: "No such model or version.",
    409: "The version cannot do what is asked, or the stream must be sent again from its start.",
    413: "The body, a text or the list is over its limit.",
    415: "The body is not plain application/json.",
    422: "JSON, but not a valid question.",
    429: "Too much to do to answer in time; `Retry-After` says when it will be better.",
    503: "Nothing is loaded that could answer.",
    504: "Not answered in time, that of `X-Deadline-Ms`.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of these error statuses of a route."""
    return {
        status: {"model": ErrorBody, "description": _DESCRIPTIONS[status]} for status in statuses
    }


def install_error_handlers(app: FastAPI) -> None:
    """Make every error an answer of the documented form."""
    app.add_exception_handler(HTTPException, _answer_http)


async def _answer_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return answer_error(error)


def answer_error(error: HTTPException) -> JSONResponse:
    """Return the answer to a request that failed with this error."""
    if isinstance(error, ServiceError):
        return _answer(error.status_code, error.error, headers=error.headers)
    status = HTTPStatus(error.status_code)
    kind = "malformed" if status == HTTPStatus.BAD_REQUEST else status.phrase.lower()
    detail = ErrorDetail(type=kind.replace(" ", "_"), message=str(error.detail))
    return _answer(status, detail, headers=error.headers)


def answer_internal() -> JSONResponse:
    """Return the answer to a request that failed for a reason of ours."""
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL)


def _answer(
    status: int, detail: ErrorDetail, *, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = ErrorBody(error=detail).model_dump(mode="json", exclude_none=True)
    return JSONResponse(body, status, headers=headers)
