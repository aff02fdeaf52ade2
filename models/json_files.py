"""Reads JSON files by their schemas, whoever wrote them."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from models.errors import VersionCorrupt
from models.regular_files import read_regular

MOST_FAULTS = 1_000
LONGEST_REASON = 300  # characters of a message, for what is wrong may come from the file

Schema = TypeVar("Schema", bound=BaseModel)


def read_json(schema: type[Schema], *, path: Path, limit: int, kind: str) -> Schema:
    """Return the content of a file.

    The parser bounds the nesting and the digits of a number.

    Args:
        schema: What the file holds.
        path: The file.
        limit: Bytes that it may have.
        kind: Name of such files, for messages.

    Raises:
        VersionCorrupt: It is missing, no regular file, too large, not JSON or does not fit.
    """
    try:
        return schema.model_validate_json(read_regular(path, limit=limit))
    except ValidationError as error:
        raise VersionCorrupt(f"{path}: not a {kind} ({_describe(error)})") from error
    except OSError as error:
        raise VersionCorrupt(f"{path}: not a {kind} ({error})") from error


def shorten(text: str) -> str:
    """Return a text on one line that is short enough for a message."""
    line = text if text.isprintable() else repr(text)[1:-1]
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"


def _describe(error: ValidationError) -> str:
    """Return the first fault; of very many only their number, because a list takes memory."""
    if (count := error.error_count()) > MOST_FAULTS:
        return f"{count:,} faults"
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return shorten(f"{place}: {first['msg']}" if place else first["msg"])
