"""How much a test of a promise does: little each time, much with `--long`."""

from collections.abc import Callable

import pytest

Effort = Callable[..., int]
"""Called with `short` and `long`, returns the one that this run asks for."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long form of each promise")


@pytest.fixture(scope="session")
def effort(pytestconfig: pytest.Config) -> Effort:
    """Choose how often a test repeats what it does."""

    def choose(*, short: int, long: int) -> int:
        return long if pytestconfig.getoption("--long") else short

    return choose
