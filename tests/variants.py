"""Runs the tests with another engine, or without what makes the service fast.

    make test ARGS="--engine=onnx"    what chooses no engine gets this one
    make test ARGS="--unbatched"      each text is read alone, in a thread, behind FastAPI

What the service answers must not depend on either.
"""

from typing import get_args

import pytest

from service.engines.loading import EngineKind
from service.settings import Settings
from tests.e2e import server
from tests.e2e.unbatched import read_each_text_alone


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=get_args(EngineKind), help="engine where none is chosen")
    parser.addoption("--unbatched", action="store_true", help="no batches and no direct routes")


def pytest_configure(config: pytest.Config) -> None:
    if engine := config.getoption("--engine"):
        Settings.model_fields["engine"].default = engine
        Settings.model_rebuild(force=True)
        server.ENVIRONMENT["GATEWISE_ENGINE"] = engine
    if config.getoption("--unbatched"):
        read_each_text_alone()
        server.PROGRAM = "tests.e2e.unbatched"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.config.getoption("--unbatched") and item.get_closest_marker("batched"):
        pytest.skip("this is about batches or direct routes")
    engine = item.config.getoption("--engine")
    if engine and item.get_closest_marker("fastest"):
        pytest.skip("this is about the engine that is taken where none is chosen")
    if engine == "savedmodel" and (mark := item.get_closest_marker("tensorless")):
        pytest.skip(mark.kwargs["reason"])
