"""Leaves the tests of training out of the coverage, which is of models and the service.

The tracer of Python 3.11 slows down all code, measured or not. TensorFlow builds graphs in Python,
and takes up to twice as long under it.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import coverage
import pytest

_TRAINING = Path(__file__).parent / "training"
_OF_PROCESSES = "COVERAGE_PROCESS_CONFIG"  # lets processes that are started measure themselves


@contextmanager
def unmeasured() -> Iterator[None]:
    """Measure nothing in here, if anything is measured, nor in processes started in here."""
    measuring = coverage.Coverage.current()
    if measuring is None:
        yield
        return
    config = os.environ.pop(_OF_PROCESSES, None)
    measuring.stop()
    try:
        yield
    finally:
        measuring.start()
        if config is not None:
            os.environ[_OF_PROCESSES] = config


def is_measured(item: pytest.Item) -> bool:
    """Whether what a test runs counts for the coverage."""
    return not item.path.is_relative_to(_TRAINING) and not item.get_closest_marker("unmeasured")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if is_measured(item):
        return (yield)
    with unmeasured():
        return (yield)
