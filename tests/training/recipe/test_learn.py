"""The halves of a classifier are learned in stages; none is learned otherwise after a stop."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.training.interruptions import finish_in_pieces
from tests.training.labelled_files import make_rows, write_csv
from tests.training.test_run import make_run
from training.linear import ngrams
from training.settings import FitSettings, NetworkSettings, PretrainSettings

if TYPE_CHECKING:
    from training.recipe.learn import Learned

pytestmark = pytest.mark.tensorflow  # which the module imports

ROWS = make_rows(60)


@pytest.fixture(autouse=True)
def quick(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "TABLE_BYTES", 1)


def learn(folder: Path, **changes: Any) -> "Learned":
    """Learn from a few rows, as a process of its own would; go on from what is in `folder`."""
    from training.recipe.learn import learn
    from training.run import start_repeatably

    options: dict[str, Any] = {
        "network": NetworkSettings(cell="gru", units=3, embedding=4),
        "fit": FitSettings(epochs=1, batch=40),
        "pretrain": PretrainSettings(epochs=2, batch=80, negatives=8, vocabulary=100),
    }
    run = make_run(folder, rows=ROWS, **options | changes)
    start_repeatably(1)
    return learn(run)


@pytest.fixture
def unlabelled(tmp_path: Path) -> dict[str, Any]:
    """The options of a training that learns from texts without labels too."""
    path = write_csv(tmp_path / "unlabelled.csv", [*ROWS, *make_rows(80)])
    return {"unlabeled": str(path), "self_training": 1}


def assert_same(one: "Learned", other: "Learned") -> None:
    rows = [[], [2], [3, 4, 5], [6] * 9]
    for mine, yours in zip(
        one.classifier.network.get_weights(), other.classifier.network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, yours)
    mine, yours = (each.classifier.probabilities(rows) for each in (one, other))
    np.testing.assert_array_equal(mine, yours)
    assert one.classifier.scaling.weights == other.classifier.scaling.weights


def stages(folder: Path) -> set[str]:
    """Return the names of the checkpoints."""
    return {path.name for path in (folder / "work").rglob("*.npz")}


def test_without_ngrams(tmp_path: Path) -> None:
    learned = learn(tmp_path, ngrams=False)
    assert learned.classifier.ngrams is None
    assert len(learned.classifier.scaling.weights) == 1
    assert "ngram_weight" not in learned.record()


def test_texts_without_labels_are_learned_from(unlabelled: dict[str, Any], tmp_path: Path) -> None:
    learned = learn(tmp_path, **unlabelled)
    assert stages(tmp_path) >= {"network.npz", "round-1.npz"}
    assert learned.classifier.probabilities([[2, 3]]).shape == (1, 2)


@pytest.mark.slow
def test_what_was_kept_of_a_language_changes_nothing(
    unlabelled: dict[str, Any], tmp_path: Path
) -> None:
    first = learn(tmp_path, resume=False, **unlabelled)
    assert_same(learn(tmp_path, resume=False, **unlabelled), first)


@pytest.mark.slow
@pytest.mark.parametrize("pretrains", [True, False])
def test_stopped_after_every_step_it_ends_the_same(
    pretrains: bool, unlabelled: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.fitting import fit
    from training.recipe import language_model as pretrain

    options = unlabelled if pretrains else {"fit": FitSettings(epochs=2, batch=30)}
    expected = learn(tmp_path / "undisturbed", **options)
    found = finish_in_pieces(
        lambda: learn(tmp_path, **options), fit, pretrain, monkeypatch=monkeypatch
    )
    assert_same(found, expected)


def test_spelling_is_learned_from_and_then_forgotten(tmp_path: Path) -> None:
    import keras

    from training.network.subwords import SubwordEmbedding
    from training.recipe.learn import build_start

    run = make_run(tmp_path, rows=ROWS)
    begun = build_start(run, encoder=None).get_layer("embedding")
    assert isinstance(begun, SubwordEmbedding)
    served = learn(tmp_path).classifier.network.get_layer("embedding")
    assert isinstance(served, keras.layers.Embedding)
    assert served.get_weights()[0].shape[0] == len(run.prepared.tokenizer)


def test_known_vectors_are_not_spelled(unlabelled: dict[str, Any], tmp_path: Path) -> None:
    pretraining = make_run(tmp_path, rows=ROWS, subwords=True, **unlabelled)
    assert pretraining.pretrains
    assert not pretraining.spells


def test_vectors_of_few_texts_are_spelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training import defaults

    run = make_run(tmp_path, rows=ROWS, max_tokens=2)
    tokens = 2 * len(run.prepared.data.train)
    for limit, spells in ((tokens + 1, True), (tokens, False)):
        monkeypatch.setattr(defaults, "FEWEST_TOKENS", limit)
        assert run.spells is spells
        assert make_run(tmp_path, rows=ROWS, subwords=True).spells
        assert not make_run(tmp_path, rows=ROWS, subwords=False).spells
