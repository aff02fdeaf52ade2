"""The names that models may have."""

import re
from typing import Annotated

from pydantic import Field

LONGEST_NAME = 64  # characters
NAME_PATTERN = rf"^[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]

_NAME = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """Whether a model may be called so, and a folder of the store may hold its versions."""
    return _NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """Return a name of a model as it is.

    Raises:
        ValueError: It is none; the message says what is allowed.
    """
    if not is_name(text):
        raise ValueError(
            f"{text!r} is no name: 1 to {LONGEST_NAME} of a-z, 0-9, '.', '_' and '-', "
            "a letter or digit first"
        )
    return text
