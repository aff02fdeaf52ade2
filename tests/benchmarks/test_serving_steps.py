"""The steps of a request that are measured one by one are those of the service."""

import json

import pytest

from benchmarks.serving.steps import make_steps
from service.settings import Settings
from service.web.app import create_app

pytestmark = pytest.mark.medium


def test_each_step_is_what_the_service_does() -> None:
    state = create_app(Settings(model="imdb-gru", threads=1)).state.service
    state.catalog.refresh()
    classifier = state.catalog.find(None, version=None)
    read, encode, compute, write = make_steps(["good film", "bad"], classifier, state).values()
    assert read(0) == ["good film"]
    assert encode(1) == classifier.encode("bad")
    assert compute(1).shape == (1, 2)
    assert json.loads(write(0).body)["label"] == "pos"
