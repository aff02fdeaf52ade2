"""Answers as they are sent."""

from collections.abc import Mapping

import pydantic_core
from fastapi import Response
from pydantic import BaseModel

from service.answering.answerer import Stages


class JsonBytes(Response):
    """An answer that is JSON already. Its headers are made in half the time of Starlette's own."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Make the headers that are sent, as Starlette asks."""
        self.raw_headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"application/json"),
        ]
        if headers:
            self.raw_headers += [(k.lower().encode(), v.encode()) for k, v in headers.items()]


def to_json(answer: BaseModel) -> str:
    """Return the JSON of an answer; what is None is left out."""
    return to_json_bytes(answer).decode()


def to_json_bytes(answer: BaseModel) -> bytes:
    """Return the JSON of an answer in UTF-8; what is None is left out."""
    return pydantic_core.to_json(answer, exclude_none=True)


def respond(answer: BaseModel, *, stages: Stages | None = None) -> Response:
    """Return the response with an answer, and what took how long as `Server-Timing`.

    Args:
        answer: The body.
        stages: Seconds of each stage; None where nothing was computed.
    """
    headers = {"Server-Timing": _server_timing(stages)} if stages is not None else None
    return JsonBytes(to_json_bytes(answer), headers=headers)


def _server_timing(stages: Stages) -> str:
    return ", ".join([f"{name};dur={seconds * 1e3:.3f}" for name, seconds in stages.items()])
