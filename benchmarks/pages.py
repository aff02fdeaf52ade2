"""Writes figures into pages of the documentation, between the markers that name them."""

import re
from collections.abc import Sequence

Row = Sequence[str]


def replace_block(text: str, name: str, block: str, *, command: str) -> str:
    """Return the page with a new block between the markers of a name.

    Raises:
        ValueError: The page has no such markers.
    """
    begin, end = f"<!-- {name}: written by {command} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page has no line {begin!r}")
    return pattern.sub(lambda _: f"{begin}\n{block}\n{end}", text)


def table(columns: Row, rows: Sequence[Row]) -> str:
    """Return a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
