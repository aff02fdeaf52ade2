"""From the bytes of a request to what is asked, or to a clear error."""

import json
from functools import partial
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from service.answering.answerer import Caller
from service.answering.budget import UNLIMITED
from service.errors import Invalid, Malformed, ServiceError, TooLarge, UnsupportedMediaType
from service.settings import Settings
from service.texts import check_text, json_type
from service.web.access.guard import access_of
from service.web.client import watch_client
from service.web.errors import detail_of
from service.web.json_structure import check_structure
from service.web.request_body import find_text, read_all
from service.web.schemas import ItemError, PredictRequest
from service.web.scope import route_of
from service.web.state import get_state
from service.web.tracing import trace_of

Body = TypeVar("Body", bound=BaseModel)

DEADLINE = "X-Deadline-Ms"
LONGEST_DEADLINE = 3_600_000  # milliseconds
LONGEST_FIELD = 100  # characters of a field's name that are repeated in an error
MOST_FIELDS = 100  # of an object
VALUES_PER_TEXT, OTHER_VALUES = 2, 100  # values of a body at most; a list that is too long is named
LONGEST_TYPE = 60  # of a media type, a charset or a coding
CHARSETS = frozenset(
    [
        *("", "ascii", "us-ascii", "utf-8", "utf8"),
        *("utf-16", "utf-16be", "utf-16le", "utf-32", "utf-32be", "utf-32le"),
    ]
)
"""Charsets in which a body may be declared: those that JSON has had."""
DEADLINE_DIGITS = len(str(LONGEST_DEADLINE))
DEADLINE_HEADER = DEADLINE.lower().encode()  # as scopes and connections have it
_JSON = "application/json"
DEADLINE_DOCUMENTED: dict[str, Any] = {
    "name": DEADLINE,
    "in": "header",
    "schema": {"type": "integer", "minimum": 1, "maximum": LONGEST_DEADLINE},
    "description": "Milliseconds after which the answer is not needed any more.",
}


def document_body(schema: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI says of a body that `read_body` reads."""
    content = {"application/json": {"schema": schema.model_json_schema()}}
    return {"required": True, "content": content}


async def read_body(request: Request, schema: type[Body]) -> Body:
    """Return the body of a request, as the schema has it.

    It is read here and not by FastAPI, which takes three times as long.

    Raises:
        UnsupportedMediaType: The body is not declared as JSON.
        Malformed: It is not JSON.
        Invalid: It does not fit the schema.
    """
    _require_json(request)
    body = await read_all(request.receive)
    return parse_body(body, schema, settings=get_state(request).settings)


def parse_body(body: bytes | str, schema: type[Body], *, settings: Settings) -> Body:
    """Return what JSON says, as the schema has it; see `read_body`.

    Raises:
        TooLarge: It has too many values, whatever they are.
    """
    try:
        text = _decode(body)
        check_structure(text, most_values=VALUES_PER_TEXT * settings.max_texts + OTHER_VALUES)
        content = _DECODER.decode(text) if text else None
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except UnicodeDecodeError as error:
        raise Malformed(_describe_encoding(error)) from None
    except ValueError:  # the one that is left: more digits than Python turns into a number
        raise Malformed("a number has too many digits") from None
    if content is None:
        raise Malformed("the body is empty or null")
    if not isinstance(content, dict):
        raise Invalid(f"send a JSON object, not {json_type(content)}")
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise _name_first(error) from None


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; Python's own would silently keep the last of equal names."""
    if len(pairs) > MOST_FIELDS:
        raise Invalid(f"an object has {len(pairs):,} fields, more than {MOST_FIELDS:,}")
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)[:LONGEST_FIELD]
        field = twice.encode(errors="replace").decode()
        raise Invalid(f"{twice!r} is given more than once", field=field)
    return found


# It reads NaN, which JSON has not: clients in Python send it for a gap of a table, among texts.
_DECODER = json.JSONDecoder(object_pairs_hook=_to_object)


def _decode(body: bytes | str) -> str:
    """Return the text of JSON, as Python would decode it."""
    if isinstance(body, str):
        return body.removeprefix("\ufeff")
    # In the others than UTF-8 a zero byte stands before or behind the bracket.
    encoding = "utf-8" if body.startswith(b'{"') else json.detect_encoding(body)
    return body.decode(encoding, "surrogatepass")


def _describe_encoding(error: UnicodeDecodeError) -> str:
    """Return what is wrong with the bytes, often those of a Windows command line."""
    encoding, byte = error.encoding.upper(), error.object[error.start]
    return f"the body is not {encoding}: byte {error.start} is 0x{byte:02x}; send JSON in UTF-8"


def _name_first(error: ValidationError) -> Invalid:
    """Return the error of the first wrong field, with every form that it could have had."""
    errors = error.errors(include_url=False, include_input=False)
    place = errors[0]["loc"][:1]
    messages = [e["msg"].removeprefix("Value error, ") for e in errors if e["loc"][:1] == place]
    return Invalid("; or: ".join(messages), field=str(place[0])[:LONGEST_FIELD] if place else None)


def read_caller(request: Request) -> Caller:
    """Return the caller of a request.

    Raises:
        Invalid: The deadline is none.
    """
    return Caller(
        read_deadline(request),
        partial(watch_client, request.scope, request.receive),
        budget=access_of(request) or UNLIMITED,
        route=route_of(request.scope),
        observer=trace_of(request.scope),
    )


def read_deadline(request: Request) -> float | None:
    """Return the seconds after which the client needs no answer any more, if it says so."""
    given = find_text(request.scope, DEADLINE_HEADER)
    return None if given is None else parse_deadline(given)


def parse_deadline(given: str) -> float:
    """Return the seconds of a deadline in milliseconds, or raise Invalid."""
    # More digits than needed are not even read: Python refuses numbers of some thousand.
    milliseconds = int(given) if given.isdecimal() and len(given) <= DEADLINE_DIGITS else 0
    if not 1 <= milliseconds <= LONGEST_DEADLINE:
        raise Invalid(
            f"{DEADLINE} is a number of milliseconds from 1 to {LONGEST_DEADLINE:,}, "
            f"not {given[:20]!r}",
            field=DEADLINE,
        )
    return milliseconds / 1e3


def check_items(question: PredictRequest, settings: Settings) -> list[str | ItemError]:
    """Return the texts of a request, an error in the place of each that is none.

    Raises:
        ServiceError: The only text is none, or there are too few or too many.
    """
    if question.text is not None:
        return [check_text(question.text, field="text", longest=settings.max_chars)]
    texts = question.texts or []
    if not texts:
        raise Invalid("give at least one text", field="texts")
    if len(texts) > settings.max_texts:
        raise TooLarge(f"{len(texts):,} texts are more than {settings.max_texts:,}", field="texts")
    return [_check_item(text, f"texts.{index}", settings) for index, text in enumerate(texts)]


def _check_item(text: Any, field: str, settings: Settings) -> str | ItemError:
    try:
        return check_text(text, field=field, longest=settings.max_chars)
    except ServiceError as error:
        return ItemError(error=detail_of(error))


def _require_json(request: Request) -> None:
    if (coding := find_text(request.scope, b"content-encoding")) is not None:
        _refuse_coding(coding.strip().lower())
    given = find_text(request.scope, b"content-type") or ""
    if given == _JSON:  # as nearly all have it
        return
    media_type = given.partition(";")[0].strip().lower()
    if media_type != _JSON:
        found = media_type[:LONGEST_TYPE] or "an unnamed type"
        raise UnsupportedMediaType(f"send application/json, not {found}")
    if (charset := _charset_of(given)) not in CHARSETS:
        raise UnsupportedMediaType(f"send JSON in UTF-8, not in {charset[:LONGEST_TYPE]!r}")


def _refuse_coding(coding: str) -> None:
    if coding != "identity":
        raise UnsupportedMediaType(f"send the body as it is, not coded as {coding[:20]!r}")


def _charset_of(content_type: str) -> str:
    """Return the charset that a content type declares, in small letters; empty for none."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower()
    return ""
