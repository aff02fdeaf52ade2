"""What a check found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "fault"]
"""A fault keeps something from working; a note says what is not there, or could be better."""


@dataclass(frozen=True)
class Finding:
    """One fact, and what mends it.

    Args:
        topic: What it is about, in one or two words.
        level: How bad it is.
        found: What is there.
        mend: What to do; "" where nothing needs to be done.
    """

    topic: str
    level: Level
    found: str
    mend: str = ""
