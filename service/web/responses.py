"""Answers as they are sent."""

from fastapi import Response
from pydantic import BaseModel

from service.answering.answerer import Stages


def to_json(answer: BaseModel) -> str:
    """Return the JSON of an answer; what is None is left out."""
    return answer.model_dump_json(exclude_none=True)


def respond(answer: BaseModel, *, stages: Stages | None = None) -> Response:
    """Return the response with an answer, and what took how long as `Server-Timing`.

    Args:
        answer: The body.
        stages: Seconds of each stage; None where nothing was computed.
    """
    headers = {"Server-Timing": _server_timing(stages)} if stages is not None else None
    return Response(to_json(answer), headers=headers, media_type="application/json")


def _server_timing(stages: Stages) -> str:
    return ", ".join(f"{name};dur={seconds * 1e3:.3f}" for name, seconds in stages.items())
