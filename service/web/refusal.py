"""Answers to what never reaches the application."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from service.web.responses import to_json_bytes
from service.web.schemas import ErrorBody, ErrorDetail

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Refusal:
    """Why a request gets no further than its connection.

    Args:
        status: Status of the answer.
        type: Type of the error.
        message: What was wrong.
        retry_after: Seconds after which another try makes sense; None if waiting does not help.
        closes: Whether the connection is closed after the answer.
    """

    status: HTTPStatus
    type: str
    message: str
    retry_after: int | None = None
    closes: bool = True

    @cached_property
    def body(self) -> bytes:
        """The error as it stands in an answer."""
        error = ErrorDetail(type=self.type, message=self.message, retry_after=self.retry_after)
        return to_json_bytes(ErrorBody(error=error))

    def to_bytes(self, headers: Headers) -> bytes:
        """Return the answer.

        Args:
            headers: Those of every answer.
        """
        lines = [self._status_line, *(name + b": " + value for name, value in headers)]
        return b"\r\n".join([*lines, self._rest])

    @cached_property
    def _status_line(self) -> bytes:
        return b"HTTP/1.1 %d %s" % (self.status, self.status.phrase.encode())

    @cached_property
    def _rest(self) -> bytes:
        own = [b"content-type: application/json", b"content-length: %d" % len(self.body)]
        if self.closes:
            own.append(b"connection: close")
        if self.retry_after is not None:
            own.append(b"retry-after: %d" % self.retry_after)
        return b"\r\n".join([*own, b"", self.body])


NO_HTTP = Refusal(HTTPStatus.BAD_REQUEST, "malformed", "this is no HTTP request")
NO_TUNNEL = Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "this is no proxy")
OTHER_VERSION = Refusal(
    HTTPStatus.BAD_REQUEST, "malformed", "this is neither HTTP/1.1 nor HTTP/1.0"
)
NOT_ONE_HOST = Refusal(HTTPStatus.BAD_REQUEST, "malformed", "the request does not name one host")
PIPELINED = Refusal(HTTPStatus.TOO_MANY_REQUESTS, "overloaded", "too many requests at once", 1)
FULL = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "there are too many connections; try again", 1
)


def too_slow(part: str, *, seconds: float) -> Refusal:
    """Return the refusal of a head or body that did not end in time."""
    message = f"the {part} of the request did not end within {seconds:g} seconds"
    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow", message)


def head_too_large(limit: int) -> Refusal:
    """Return the refusal of a head of more bytes than this."""
    message = f"the head of the request is larger than {limit:,} bytes"
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", message)


def framing_too_large(limit: int) -> Refusal:
    """Return the refusal of a body whose chunks have more bytes than this around it."""
    message = f"sizes, extensions and trailers of the body's chunks have over {limit:,} bytes"
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", message)


def too_many_headers(limit: int) -> Refusal:
    """Return the refusal of a head with more headers than this."""
    message = f"the request has more than {limit:,} headers"
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", message)
