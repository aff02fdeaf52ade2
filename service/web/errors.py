"""The one place that turns an error into a status and a body.

Every error body is {"error": {"type", "message"}}, with "field" where one is to blame, and with
"retry_after" where waiting helps.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Mount
from starlette.types import Receive, Scope, Send

from service.errors import (
    BadState,
    ClientGone,
    Conflict,
    DeadlinePassed,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Overloaded,
    RateLimited,
    ReplayRequired,
    ServiceError,
    TooLarge,
    TooSlow,
    Unauthorized,
    Unavailable,
    Unfit,
    UnsupportedMediaType,
    VersionFailed,
)
from service.web.schemas import ErrorBody, ErrorDetail
from service.web.scope import note_error

STATUSES: dict[type[ServiceError], int] = {
    Malformed: 400,
    BadState: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    TooSlow: 408,
    ReplayRequired: 409,
    Unfit: 409,
    Conflict: 409,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    Invalid: 422,
    Overloaded: 429,
    RateLimited: 429,
    ClientGone: 499,  # which nobody sees but the metrics
    VersionFailed: 500,  # a 503 would have a proxy leave out each replica in turn
    Unavailable: 503,
    DeadlinePassed: 504,
}
INTERNAL = ErrorDetail(type="internal", message="this is our fault; the log has the details")

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_DESCRIPTIONS = {
    400: "It is no HTTP, the body is not JSON, or the state of a stream not as it was given.",
    401: "No API key, or none that is valid; only where keys are asked for.",
    403: "The API key does not open this.",
    404: "No such model or version.",
    408: "Head or body did not come in time.",
    409: "The version or the store cannot do what is asked, or the stream must be sent again from "
    "its start.",
    413: "The body, a text or the list is over its limit.",
    415: "The body is not plain application/json.",
    422: "JSON, but not a valid request.",
    429: "Too much to do to answer in time, or too much asked with one API key; `Retry-After` says "
    "when it will be better.",
    431: "The head of the request is over a limit.",
    500: "A fault of the service, or a version that cannot be loaded; its log has the details.",
    503: "Nothing is loaded that could answer, or there are too many connections.",
    504: "Not answered within the time of `X-Deadline-Ms`.",
}


_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which another try makes sense.",
        "schema": {"type": "integer", "minimum": 1},
    }
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of these error statuses of a route."""
    return {status: _document(status) for status in statuses}


def _document(status: int) -> dict[str, Any]:
    headers = {"headers": _RETRY_AFTER} if status == 429 else {}
    return {"model": ErrorBody, "description": _DESCRIPTIONS[status], **headers}


EVERYWHERE = documented(400, 401, 403, 408, 431, 500, 503)
"""What OpenAPI says of the errors that every route can give."""


def status_of(error: ServiceError) -> int:
    """Return the status of an error: that of its type, or else of the type that it derives from."""
    known = (STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    return next(known, HTTPStatus.INTERNAL_SERVER_ERROR)


def detail_of(error: ServiceError) -> ErrorDetail:
    """Return an error as it stands in an answer."""
    return ErrorDetail(
        type=error.type, message=error.message, field=error.field, retry_after=error.retry_after
    )


def install_error_handlers(app: FastAPI) -> None:
    """Make every error an answer of the documented form."""
    for kind in (ServiceError, HTTPException):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(Exception, _answer_fault)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError | HTTPException)
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        error.headers = {"Allow": ", ".join(_find_methods(request))}
    return answer_error(error, scope=request.scope)


def _find_methods(request: Request) -> list[str]:
    """Return the methods of a path; Starlette names those of its first route alone."""
    scope = request.scope
    outside = {**scope, "root_path": scope.get("app_root_path", scope["root_path"])}  # of a mount
    return [each for each in _METHODS if _is_taken({**outside, "method": each})]


def _is_taken(scope: Scope) -> bool:
    """Whether a route takes such a request; what is mounted are files."""
    return any(
        route.matches(scope)[0] == Match.FULL
        and (not isinstance(route, Mount) or scope["method"] in ("GET", "HEAD"))
        for route in scope["app"].routes
    )


async def _answer_fault(request: Request, error: Exception) -> Response:
    """Answer in the place of Starlette, which would in plain text."""
    if isinstance(error, ClientDisconnect):
        return _Unanswered()
    return _to_response(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL, scope=request.scope)


class _Unanswered(Response):
    """Stands for the answer where nobody is there any more to get one."""

    async def __call__(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        """Send nothing, as ASGI allows."""


def answer_error(error: ServiceError | HTTPException, *, scope: Scope) -> JSONResponse:
    """Return the answer to a request that failed with this error."""
    if isinstance(error, ServiceError):
        return _to_response(
            status_of(error), detail_of(error), scope=scope, headers=_headers_of(error)
        )
    status = HTTPStatus(error.status_code)
    kind = "malformed" if status == HTTPStatus.BAD_REQUEST else status.phrase.lower()
    detail = ErrorDetail(type=kind.replace(" ", "_"), message=str(error.detail))
    return _to_response(status, detail, scope=scope, headers=error.headers)


def _headers_of(error: ServiceError) -> dict[str, str]:
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="gatewise"'
    return headers


async def answer_internal(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request that failed for a reason of ours, as ASGI asks."""
    response = _to_response(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL, scope=scope)
    await response(scope, receive, send)


def _to_response(
    status: int, detail: ErrorDetail, *, scope: Scope, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    note_error(scope, detail.type)
    body = ErrorBody(error=detail).model_dump(mode="json", exclude_none=True)
    return JSONResponse(body, status, headers=headers)
