"""The rules for names of models, and for references to their versions."""

import difflib
import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

LONGEST_NAME = 64  # characters
NAME_PATTERN = rf"^[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]

VERSION_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
LONGEST_LABEL = 32  # characters
LABEL_PATTERN = rf"^[a-z][a-z0-9_-]{{0,{LONGEST_LABEL - 1}}}$"  # no label is a number
LONGEST_REFERENCE = LONGEST_NAME + 1 + LONGEST_LABEL  # characters of name:version or name:label

Which = int | str
"""A version by its number, or by its label."""

_NAME, _LABEL = re.compile(NAME_PATTERN), re.compile(LABEL_PATTERN)


def is_name(text: str) -> bool:
    """Whether a text is a valid name of a model, and of its folder in the store."""
    return _NAME.fullmatch(text) is not None


def is_label(text: str) -> bool:
    """Whether a text is a valid label of a version."""
    return _LABEL.fullmatch(text) is not None


def check_label(text: str) -> str:
    """Return a valid label of a version unchanged.

    Raises:
        ValueError: It is not valid; the message states the rule.
    """
    if not is_label(text):
        raise ValueError(
            f"{text!r} is no label: 1 to {LONGEST_LABEL} of a-z, 0-9, '_' and '-', "
            "a letter first, such as stable or canary"
        )
    return text


def check_name(text: str) -> str:
    """Return a valid name of a model unchanged.

    Raises:
        ValueError: The name is not valid; the message states the rule.
    """
    if not is_name(text):
        raise ValueError(
            f"{text!r} is no name: 1 to {LONGEST_NAME} of a-z, 0-9, '.', '_' and '-', "
            "a letter or digit first"
        )
    return text


def split_reference(text: str) -> tuple[str, Which | None]:
    """Return the parts of `name`, `name:version` or `name:label`; None for what is not given.

    Raises:
        ValueError: There is no name, or what follows the colon is neither.
    """
    name, colon, which = text.partition(":")
    if not colon:
        return name, None
    if name and VERSION_NUMBER.fullmatch(which):
        return name, int(which)
    if name and is_label(which):
        return name, which
    raise ValueError(
        f"{text!r} is neither a model nor model:version, such as reviews:3 or reviews:stable"
    )


def suggest(text: str, *, among: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" with the item that is most like a text; "" if none is."""
    near = difflib.get_close_matches(text.lower(), list(among), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
