"""Texts of others, such as names of files, in what is printed for a person."""

import re

# Control characters, other line ends, half characters, and what turns the direction of a text.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def escape_controls(text: str) -> str:
    """Return a text on one line, with what would steer a terminal shown as Python writes it.

    Else the name of a file could forge lines of a log, and hide others.
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
