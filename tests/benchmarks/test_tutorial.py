"""The page about the cells has a place for each table that is written into it."""

import pytest

from benchmarks.pages import replace_block

pytestmark = pytest.mark.tensorflow  # which the module imports


def test_the_page_has_a_place_for_each_block() -> None:
    from benchmarks.cells.__main__ import DOCS
    from benchmarks.cells.tutorial import BLOCKS, COMMAND, PAGE

    page = (DOCS / PAGE).read_text()
    for name in [*BLOCKS, "pretrained"]:
        assert "a new table" in replace_block(page, name, "a new table", command=COMMAND)


def test_what_the_page_shows_is_there() -> None:
    from benchmarks.cells.__main__ import DOCS
    from benchmarks.cells.tutorial import PAGE, PLOTS

    page = (DOCS / PAGE).read_text()
    plots = [part.partition(")")[0] for part in page.split(f"]({PLOTS}/")[1:]]
    assert plots
    assert all((DOCS / PLOTS / plot).is_file() for plot in plots)
