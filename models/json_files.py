"""Reads JSON files by their schemas, whoever wrote them."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from models.errors import FormatTooNew, VersionCorrupt
from models.printable import escape_controls
from models.regular_files import read_regular

MOST_FAULTS = 1_000
LONGEST_REASON = 300  # characters of a message, for what is wrong may come from the file


class FormatProbe(BaseModel):
    """Reads the format version only; the other fields may be unknown to this release."""

    format_version: int


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
    return _parse(schema, _read(path, limit=limit, kind=kind), where=path, kind=kind)


def read_versioned(
    schema: type[Schema],
    *,
    newest: int,
    path: Path,
    limit: int,
    kind: str,
    probe: type[FormatProbe] = FormatProbe,
) -> Schema:
    """Return the content of a file that says in which format it is; see `read_json`.

    Args:
        schema: What the file holds.
        newest: The newest format that this release reads.
        path: The file.
        limit: Bytes that it may have.
        kind: Name of such files, for messages.
        probe: What it holds in any format.

    Raises:
        FormatTooNew: A newer release wrote it.
        VersionCorrupt: As `read_json` does.
    """
    content = _read(path, limit=limit, kind=kind)
    return parse_versioned(
        schema, newest=newest, content=content, where=path, kind=kind, probe=probe
    )


def parse_versioned(
    schema: type[Schema],
    *,
    newest: int,
    content: bytes,
    where: object,
    kind: str,
    probe: type[FormatProbe] = FormatProbe,
) -> Schema:
    """Return what bytes hold, as `read_versioned` does of a file; `where` stands in messages."""
    found = _parse(probe, content, where=where, kind=kind).format_version
    if found > newest:
        raise FormatTooNew.of(where, supported=newest, found=found)
    return _parse(schema, content, where=where, kind=kind)


def _read(path: Path, *, limit: int, kind: str) -> bytes:
    try:
        return read_regular(path, limit=limit)
    except OSError as error:
        raise VersionCorrupt(f"{path}: not a {kind} ({error})") from error


def _parse(schema: type[Schema], content: bytes, *, where: object, kind: str) -> Schema:
    try:
        return schema.model_validate_json(content)
    except ValidationError as error:
        raise VersionCorrupt(f"{where}: not a {kind} ({_describe(error)})") from error


def shorten(text: str) -> str:
    """Return a text on one line that is short enough for a message."""
    line = escape_controls(text)
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"


def _describe(error: ValidationError) -> str:
    """Return the first fault; of very many only their number, because a list takes memory."""
    if (count := error.error_count()) > MOST_FAULTS:
        return f"{count:,} faults"
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return shorten(f"{place}: {first['msg']}" if place else first["msg"])
