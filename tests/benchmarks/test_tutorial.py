"""The page about the cells has a place for each table that is written into it."""

import pytest

from benchmarks.cells.__main__ import DOCS
from benchmarks.cells.tutorial import BLOCKS, COMMAND, PAGE, PLOTS
from benchmarks.pages import replace_block


@pytest.mark.parametrize("name", [*BLOCKS, "pretrained"])
def test_the_page_has_a_place_for_each_block(name: str) -> None:
    page = (DOCS / PAGE).read_text()
    changed = replace_block(page, name, "a table", command=COMMAND)
    assert "a table" in changed


def test_what_the_page_shows_is_there() -> None:
    page = (DOCS / PAGE).read_text()
    plots = [part.partition(")")[0] for part in page.split(f"]({PLOTS}/")[1:]]
    assert plots
    assert all((DOCS / PLOTS / plot).is_file() for plot in plots)
