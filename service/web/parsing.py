"""From the bytes of a request to what is asked, or to a clear error."""

import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from service.errors import Invalid, Malformed, ServiceError, TooLarge, UnsupportedMediaType
from service.settings import Settings
from service.web.schemas import ItemError, PredictRequest

Question = TypeVar("Question", bound=BaseModel)

DEADLINE = "X-Deadline-Ms"
LONGEST_DEADLINE = 3_600_000  # milliseconds
LONGEST_FIELD = 100  # characters of a field's name that are repeated in an error
DEADLINE_DIGITS = len(str(LONGEST_DEADLINE))
DEADLINE_DOCUMENTED: dict[str, Any] = {
    "name": DEADLINE,
    "in": "header",
    "schema": {"type": "integer", "minimum": 1, "maximum": LONGEST_DEADLINE},
    "description": "Milliseconds after which the answer is not needed any more.",
}


async def read_question(request: Request, schema: type[Question]) -> Question:
    """Return what the body of a request asks, as the schema has it.

    It is read here and not by FastAPI, which takes three times as long.

    Raises:
        UnsupportedMediaType: The body is not declared as JSON.
        Malformed: It is not JSON.
        Invalid: It is no question.
    """
    _require_json(request)
    return parse_question(await request.body(), schema)


def parse_question(body: bytes | str, schema: type[Question]) -> Question:
    """Return what JSON asks, as the schema has it; see `read_question`."""
    try:
        content = json.loads(body) if body else None
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    except ValueError:  # the one that is left: more digits than Python turns into a number
        raise Malformed("a number has too many digits") from None
    if content is None:
        raise Malformed("the body is empty or null")
    if not isinstance(content, dict):
        raise Invalid(f"send a JSON object, not {_json_type(content)}")
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise _name_first(error) from None


def _name_first(error: ValidationError) -> Invalid:
    """Return what is wrong with the first field that is wrong: all that it could have been."""
    errors = error.errors(include_url=False, include_input=False)
    place = errors[0]["loc"][:1]
    messages = [e["msg"].removeprefix("Value error, ") for e in errors if e["loc"][:1] == place]
    return Invalid("; or: ".join(messages), field=str(place[0])[:LONGEST_FIELD] if place else None)


def read_deadline(request: Request) -> float | None:
    """Return the seconds after which the client needs no answer any more, if it says so."""
    given = request.headers.get(DEADLINE)
    if given is None:
        return None
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
    """Return the texts of a question, an error in the place of each that is none.

    Raises:
        ServiceError: The only text is none, or there are too few or too many.
    """
    if question.text is not None:
        return [_check_text(question.text, "text", settings)]
    texts = question.texts or []
    if not texts:
        raise Invalid("give at least one text", field="texts")
    if len(texts) > settings.max_texts:
        raise TooLarge(f"{len(texts):,} texts are more than {settings.max_texts:,}", field="texts")
    return [_check_item(text, f"texts.{index}", settings) for index, text in enumerate(texts)]


def _check_item(text: Any, field: str, settings: Settings) -> str | ItemError:
    try:
        return _check_text(text, field, settings)
    except ServiceError as error:
        return ItemError(error=error.error)


def check_piece(text: Any, settings: Settings) -> str:
    """Return the piece of a text, which may begin and end in the middle of a character.

    Raises:
        ServiceError: It is none, or too long.
    """
    return _check_length(text, "text", settings)


def _check_length(given: Any, field: str, settings: Settings) -> str:
    if not isinstance(given, str):
        raise Invalid(f"a text is a string, not {_json_type(given)}", field=field)
    text: str = given
    if len(text) > (limit := settings.max_chars):
        raise TooLarge(f"{len(text):,} characters are more than {limit:,}", field=field)
    return text


def _check_text(given: Any, field: str, settings: Settings) -> str:
    text = _check_length(given, field, settings)
    refuse_halves(text, field)
    return text


def refuse_halves(text: str, field: str, *, before: int = 0) -> None:
    """Raise Invalid if a character is half of a surrogate pair; count without those `before`."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        place = error.start - before
        which = f"character {place}" if place >= 0 else "the last character of the piece before"
        message = f"{which} is half of a surrogate pair, so this is no text"
        raise Invalid(message, field=field) from None


def _json_type(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "a truth value",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def _require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType(f"send application/json, not {media_type or 'an unnamed type'}")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedMediaType(f"send the body as it is, not coded as {coding[:20]!r}")
