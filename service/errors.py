"""Errors that a client is told of, and the one place that turns them into answers.

ServiceError
├── Malformed               400  the body is not JSON
├── NotFound                404  no such model or version
├── TooLarge                413  body, text or list over its limit
├── UnsupportedMediaType    415  the body is not declared as JSON
├── Invalid                 422  JSON, but not a valid question
└── Unavailable             503  nothing is loaded that could answer

Every error body is {"error": {"type", "message"}}, with "field" where one is to blame.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service.schemas import ErrorBody, ErrorDetail


class ServiceError(HTTPException):
    """An error with a status and a type. An HTTPException, so that FastAPI lets it through."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    type = "internal"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(self.status, message)
        self.field = field

    @property
    def error(self) -> ErrorDetail:
        """The error as it stands in an answer."""
        return ErrorDetail(type=self.type, message=self.detail, field=self.field)


class Malformed(ServiceError):
    """The body is not JSON."""

    status, type = HTTPStatus.BAD_REQUEST, "malformed"


class NotFound(ServiceError):
    """No such model or version."""

    status, type = HTTPStatus.NOT_FOUND, "not_found"


class TooLarge(ServiceError):
    """Body, text or list over its limit."""

    status, type = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"


class UnsupportedMediaType(ServiceError):
    """The body is not declared as JSON."""

    status, type = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"


class Invalid(ServiceError):
    """JSON, but not a valid question."""

    status, type = HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"


class Unavailable(ServiceError):
    """Nothing is loaded that could answer."""

    status, type = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"


_DESCRIPTIONS = {
    400: "The body is not JSON.",
    404: "No such model or version.",
    413: "The body, a text or the list is over its limit.",
    415: "The content type is not application/json.",
    422: "JSON, but not a valid question.",
    503: "Nothing is loaded that could answer.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of these error statuses of a route."""
    return {
        status: {"model": ErrorBody, "description": _DESCRIPTIONS[status]} for status in statuses
    }


def install_error_handlers(app: FastAPI) -> None:
    """Make every error an answer of the documented form."""
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_validation)


async def _answer_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error, ServiceError):
        return _answer(error.status_code, error.error)
    status = HTTPStatus(error.status_code)
    kind = "malformed" if status == HTTPStatus.BAD_REQUEST else status.phrase.lower()
    detail = ErrorDetail(type=kind.replace(" ", "_"), message=str(error.detail))
    return _answer(status, detail, headers=error.headers)


async def _answer_validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    told: ServiceError
    if error.body is None:
        told = Malformed("the body is empty or null")
    elif first["type"] == "json_invalid":
        place = f"at character {first['loc'][-1]}"
        reason = first.get("ctx", {}).get("error", first["msg"])
        told = Malformed(f"the body is not JSON: {reason} {place}")
    else:
        path = [str(part) for part in first["loc"][1:]]
        told = Invalid(_reword(first["msg"]), field=".".join(path) or None)
    return _answer(told.status_code, told.error)


def answer_internal() -> JSONResponse:
    """Return the answer to a request that failed for a reason of ours."""
    detail = ErrorDetail(type="internal", message="this is our fault; the log has the details")
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def _reword(message: str) -> str:
    return message.removeprefix("Value error, ")


def _answer(
    status: int, detail: ErrorDetail, *, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = ErrorBody(error=detail).model_dump(mode="json", exclude_none=True)
    return JSONResponse(body, status, headers=headers)
