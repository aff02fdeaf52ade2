"""What a text must be to be read, and how long it may be."""

from typing import Any, Literal

from models.tables.decoding import find_half
from service.errors import Invalid, TooLarge

MOST_TOKENS = {"prefix": 20_000, "occlusion": 1_000, "gates": 20_000}
"""Tokens of the longest text of which each token is examined, by what is asked about it."""


def check_text(given: Any, *, field: str, longest: int) -> str:
    """Return a text of a request.

    Args:
        given: What stands in its place.
        field: Where that is in the request.
        longest: Characters that a text may have.

    Raises:
        Invalid: It is none, or holds half of a character.
        TooLarge: It is too long.
    """
    text = check_piece(given, field=field, longest=longest)
    refuse_halves(text, field=field)
    return text


def check_piece(given: Any, *, field: str, longest: int) -> str:
    """Return a piece of a text, which may begin and end in the middle of a character.

    The arguments and errors are those of `check_text`.
    """
    if not isinstance(given, str):
        raise Invalid(f"a text is a string, not {json_type(given)}", field=field)
    if len(given) > longest:
        raise TooLarge(f"{len(given):,} characters are more than {longest:,}", field=field)
    return given


def check_tokens(tokens: int, *, asked: Literal["prefix", "occlusion", "gates"]) -> None:
    """Raise TooLarge if a text has too many tokens for what is asked about each."""
    if tokens > (most := MOST_TOKENS[asked]):
        field = "gates" if asked == "gates" else "explain"
        raise TooLarge(f"{tokens:,} tokens are more than the {most:,} of {asked}", field=field)


def refuse_halves(text: str, *, field: str, before: int = 0) -> None:
    """Raise Invalid if a character is half of a surrogate pair; count without those `before`."""
    if (half := find_half(text)) is not None:
        place = half - before
        which = f"character {place}" if place >= 0 else "the last character of the piece before"
        message = f"{which} is half of a surrogate pair, so this is no text"
        raise Invalid(message, field=field)


def json_type(value: Any) -> str:
    """Return what JSON calls a value."""
    names = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "a truth value",
        type(None): "null",
    }
    return names.get(type(value), "a number")
