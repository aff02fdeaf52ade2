"""The shape of a network: asked for, usual, or that of the version that is gone on with."""

from pathlib import Path

import pytest

from models.versions import Version
from tests.versions import publish
from training.defaults import choose_shape
from training.errors import TrainingError

NOTHING = {"cell": None, "layers": None, "units": None, "embedding": None}


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """A version of a GRU with one layer of two units."""
    return publish(tmp_path)


def test_the_usual() -> None:
    shape = choose_shape(NOTHING, start=None, pretrains=False)
    assert shape == {"cell": "gru", "layers": 1, "units": 128, "embedding": 128}


def test_more_texts_a_wider_state() -> None:
    assert choose_shape(NOTHING, start=None, pretrains=True)["units"] == 256
    assert choose_shape({**NOTHING, "units": 64}, start=None, pretrains=True)["units"] == 64


def test_what_the_version_has(version: Version) -> None:
    shape = {"cell": "gru", "layers": 1, "units": 2, "embedding": 2}
    assert choose_shape(NOTHING, start=version, pretrains=False) == shape
    assert choose_shape({**NOTHING, "cell": "gru"}, start=version, pretrains=False) == shape


def test_another_shape_than_the_version_has(version: Version) -> None:
    with pytest.raises(TrainingError, match="--units 64: the network of toy:1 has 2; leave --uni"):
        choose_shape({**NOTHING, "units": 64}, start=version, pretrains=False)


def test_two_places_to_start(version: Version) -> None:
    with pytest.raises(TrainingError, match="--from and --unlabeled both"):
        choose_shape(NOTHING, start=version, pretrains=True)
