"""Limits of the structure of JSON, held before it is parsed.

A list of empty lists takes twenty times as much memory as its text, and an object of as many fields
even more.
"""

from service.errors import Malformed, TooLarge

DEEPEST = 16  # objects and lists in each other; a request has two
FEW_BYTES = 16 * 1024  # in which there is no room for many values

_BRACKETS = b"[]{}"
_ALL_ELSE = bytes(set(range(256)) - set(b'",' + _BRACKETS))


def check_structure(body: str, *, most_values: int) -> None:
    """Refuse JSON that is nested too deeply or has too many values.

    Args:
        body: The JSON, which may be broken.
        most_values: Items of lists and fields of objects, all together.

    Raises:
        Malformed: It is nested too deeply.
        TooLarge: It has too many values.
    """
    may_be_deep = body.count("[") + body.count("{") > DEEPEST
    if not may_be_deep and len(body) <= FEW_BYTES:
        return
    encoded = body.encode(errors="replace")
    marks = encoded.replace(rb"\\", b"").replace(rb"\"", b"").translate(None, _ALL_ELSE)
    if marks.count(b'"') > 4 * most_values:  # two strings at most to a value, one its name
        raise _too_many(most_values)
    bare = b"".join(marks.split(b'"')[::2])  # without what stands in strings
    brackets = bare.replace(b",", b"")
    _check_depth(brackets[: 2 * most_values])  # with more there are too many values
    if len(bare) - len(brackets) + bare.count(b"[") + bare.count(b"{") > most_values:
        raise _too_many(most_values)


def _too_many(most_values: int) -> TooLarge:
    return TooLarge(f"the body has more than {most_values:,} values")


def _check_depth(brackets: bytes) -> None:
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            raise Malformed(f"the body is nested more than {DEEPEST} levels deep")
