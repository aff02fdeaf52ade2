"""The rule for names of models."""

import re
from typing import Annotated

from pydantic import Field

LONGEST_NAME = 64  # characters
NAME_PATTERN = rf"^[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]

_NAME = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """Whether a text is a valid name of a model, and of its folder in the store."""
    return _NAME.fullmatch(text) is not None


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
