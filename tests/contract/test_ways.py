"""The ways through the code that docs/architecture.md describes are short, and lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 7  # files


def read_ways() -> dict[str, list[str]]:
    """Return the files of each way, by its first line."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    ways = text.partition("<!-- ways -->")[2].partition("<!-- end of ways -->")[0]
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=A )", ways.strip()):
        title, _, steps = block.partition("\n\n")
        found[title] = re.findall(r"^\d+\. `([\w/.]+)`", steps, re.MULTILINE)
    return found


WAYS = read_ways()


def test_there_are_five() -> None:
    assert len(WAYS) == 5


@pytest.mark.parametrize("way", WAYS)
def test_a_way_is_short_and_its_files_are_there(way: str) -> None:
    files = WAYS[way]
    assert 1 < len(files) <= LONGEST
    assert [name for name in files if not (ROOT / name).is_file()] == []
