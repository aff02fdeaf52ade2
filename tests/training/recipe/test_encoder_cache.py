"""What was learned of a language is kept, and found again for the same texts and shape."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.training.test_run import make_run
from training.errors import TrainingError
from training.settings import NetworkSettings, PretrainSettings

if TYPE_CHECKING:
    from training.recipe.language_model import Encoder
    from training.run import Run

pytestmark = pytest.mark.tensorflow  # which the module imports

SHAPE = NetworkSettings(cell="lstm", layers=2, units=3, embedding=4)


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> list["Encoder"]:
    """The encoders learned since the test began; they are drawn at random."""
    from training.recipe import encoder_cache as encoders
    from training.recipe.language_model import Encoder

    found: list[Encoder] = []

    def pretrain(*_: object, checkpoint, **__: object) -> Encoder:
        random = np.random.default_rng(len(found))
        checkpoint.path.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.path.touch()
        layers = [[random.random(2) for _ in range(3)] for _ in range(2)]
        found.append(Encoder(random.random((5, 4)), tuple(map(tuple, layers)), 12.5))
        return found[-1]

    monkeypatch.setattr(encoders, "pretrain", pretrain)
    return found


def find(run: "Run") -> "Encoder":
    from training.recipe.encoder_cache import find_encoder

    return find_encoder(run)


def make(folder: Path, *, domain: list[list[int]] | None = None, **changes) -> "Run":
    run = make_run(folder, **{"network": SHAPE} | changes)
    return replace(run, prepared=replace(run.prepared, domain=domain or [[2, 3], [4]]))


def test_the_same_is_learned_once(learned: list["Encoder"], tmp_path: Path) -> None:
    first = find(make(tmp_path))
    again = find(make(tmp_path, name="other", class_weight="sqrt", seed=2))
    assert len(learned) == 1
    assert again.perplexity == first.perplexity
    np.testing.assert_array_equal(again.embedding, first.embedding)
    for mine, yours in zip(again.layers, first.layers, strict=True):
        for one, other in zip(mine, yours, strict=True):
            np.testing.assert_array_equal(one, other)
    assert len(list((tmp_path / "work/encoders").iterdir())) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"network": replace(SHAPE, units=4)},
        {"network": replace(SHAPE, cell="gru")},
        {"pretrain": PretrainSettings(seed=2)},
        {"domain": [[2, 3, 4]]},
        {"domain": [[2], [3, 4]]},
    ],
)
def test_other_texts_or_shapes_are_learned_anew(
    changes: dict, learned: list["Encoder"], tmp_path: Path
) -> None:
    find(make(tmp_path))
    find(make(tmp_path, **changes))
    assert len(learned) == 2


@pytest.mark.parametrize("content", [b"", b"no encoder", b"PK\3\4 half a file"])
def test_a_broken_file_is_refused(content: bytes, learned: list["Encoder"], tmp_path: Path) -> None:
    find(make(tmp_path))
    (path,) = (tmp_path / "work/encoders").iterdir()
    path.write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        find(make(tmp_path))
    assert str(caught.value).startswith(f"{path} is no encoder (")
    assert str(caught.value).endswith("; delete it")


def test_two_trainings_do_not_learn_the_same_at_once(
    learned: list["Encoder"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.recipe import encoder_cache as encoders

    refused: list[str] = []
    first = encoders.pretrain

    def pretrain(*given, **options) -> "Encoder":
        with pytest.raises(TrainingError) as caught:
            find(make(tmp_path, name="other"))
        refused.append(str(caught.value))
        return first(*given, **options)

    monkeypatch.setattr(encoders, "pretrain", pretrain)
    find(make(tmp_path))
    assert len(learned) == 1
    assert refused[0].startswith("another training learns the same language; wait until it has ")
