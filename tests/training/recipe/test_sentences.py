"""A network learns what an encoder makes of texts, and a stop changes nothing in it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.training.interruptions import finish_in_pieces
from tests.training.labelled_files import make_rows, write_csv
from tests.training.test_run import make_run
from tests.training.vectors.models import WORDS, write_static_model
from training.errors import TrainingError
from training.linear import ngrams
from training.settings import FitSettings, NetworkSettings, TeachSettings
from training.vectors.opening import open_encoder

if TYPE_CHECKING:
    from training.recipe.language_model import Encoder
    from training.run import Run

pytestmark = pytest.mark.tensorflow  # which the module imports

KNOWN = WORDS[:5]
ROWS = [
    (f"{KNOWN[row % 5]} {KNOWN[row % 3]} {text}", row % 2)
    for row, (text, _) in enumerate(make_rows(150))
]


@pytest.fixture(autouse=True)
def quick(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "TABLE_BYTES", 1)


def make_taught(folder: Path, **changes: Any) -> "Run":
    write_static_model(folder / "encoder")
    options: dict[str, Any] = {
        "network": NetworkSettings(
            cell="gru", units=12, embedding=6, dropout=0.0, word_dropout=0.0
        ),
        "fit": FitSettings(epochs=1, batch=40, adversarial=0.0),
        "teach": TeachSettings(epochs=1, batch=40),
    }
    run = make_run(folder, rows=ROWS, encoder="/some/folder/encoder", **options | changes)
    return replace(run, encoder=open_encoder(str(folder / "encoder")))


def find(run: "Run") -> "Encoder":
    from training.recipe.encoder_cache import find_encoder

    return find_encoder(run)


def test_the_network_learns_the_vectors(tmp_path: Path) -> None:
    import tensorflow as tf

    from training.recipe.encoder_cache import TEACHING

    tf.config.run_functions_eagerly(False)  # as users run it
    figures: list[float] = []

    class Watch:
        def __getattr__(self, _name: str) -> Any:
            return lambda *_: None

        def add_epoch(self, epoch: Any) -> None:
            figures.append(epoch.figures["cosine"])

    run = make_taught(tmp_path, teach=TeachSettings(epochs=6, batch=16, learning_rate=1e-2))
    watched = replace(run, observers=lambda stage: [Watch()] if stage == TEACHING else [])
    find(watched)
    assert len(figures) == 6
    assert figures[-1] > 0.75
    assert figures[-1] > figures[0] + 0.1


@pytest.mark.parametrize("judges", [False, True])
def test_the_loss_is_that_of_a_fit(judges: bool) -> None:
    """A fit traces it for batches of any shape."""
    import tensorflow as tf

    from training.recipe.sentences import make_loss

    random = np.random.default_rng(0)
    vectors = random.normal(size=(5, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    verdicts = random.random((5, 2 * judges)).astype(np.float32)
    targets = np.concatenate([vectors, verdicts], axis=1)
    given = random.normal(size=targets.shape).astype(np.float32)
    loss, shape = make_loss(3, judges=judges), tf.TensorSpec((None, None), tf.float32)
    tf.config.run_functions_eagerly(False)
    found = float(tf.function(loss, input_signature=[shape, shape])(targets, given))
    cosines = (given[:, :3] * vectors).sum(axis=1) / np.linalg.norm(given[:, :3], axis=1)
    expected = 1 - cosines.mean()
    if judges:
        odds = given[:, 3:]
        expected += np.mean(np.logaddexp(0, odds) - verdicts * odds)
    assert found == pytest.approx(expected, rel=1e-5)


def test_what_was_taught_is_kept(tmp_path: Path, capsys: Any) -> None:
    first = find(make_taught(tmp_path))
    capsys.readouterr()
    again = find(make_taught(tmp_path))
    assert "pretrained encoder:" in capsys.readouterr().err
    np.testing.assert_array_equal(first.embedding, again.embedding)
    assert make_taught(tmp_path).encoder is not None


def test_the_training_starts_from_it(tmp_path: Path) -> None:
    from training.recipe.learn import build_start

    run = make_taught(tmp_path)
    taught = find(run)
    network = build_start(run, encoder=taught)
    np.testing.assert_array_equal(network.get_layer("embedding").get_weights()[0], taught.embedding)
    assert not run.spells


@pytest.mark.slow
def test_stopped_after_every_batch_it_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.fitting import fit

    whole = find(make_taught(tmp_path / "whole", teach=TeachSettings(epochs=2, batch=40)))
    pieces = finish_in_pieces(
        lambda: find(make_taught(tmp_path / "pieces", teach=TeachSettings(epochs=2, batch=40))),
        fit,
        monkeypatch=monkeypatch,
    )
    np.testing.assert_array_equal(whole.embedding, pieces.embedding)
    for mine, yours in zip(whole.layers, pieces.layers, strict=True):
        for one, other in zip(mine, yours, strict=True):
            np.testing.assert_array_equal(one, other)


def test_texts_without_labels_teach_too(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "more.csv", [(f"good film {row}", 1) for row in range(60)])
    run = make_taught(tmp_path, unlabeled=str(path))
    assert not run.pretrains
    find(run)
    (kept,) = (tmp_path / "work" / "encoders" / "vectors").glob("*.npy")
    assert len(np.load(kept)) == 60 + len(run.prepared.data.train)


def test_a_version_names_its_teacher(tmp_path: Path) -> None:
    from training.evaluation.card import _name_origins
    from training.export.metadata import _describe_settings

    run = make_taught(tmp_path)
    described = _describe_settings(run.settings, run.origins)
    assert (described["encoder"], described["vectors"]) == ("encoder", None)
    assert "/some/folder" not in str(described)
    assert _name_origins(described) == "what it was taught by encoder (mit)"


def test_too_few_texts(tmp_path: Path) -> None:
    run = make_taught(tmp_path)
    few = replace(run, prepared=replace(run.prepared, ids=run.prepared.ids | {"train": [[]] * 135}))
    with pytest.raises(TrainingError, match="has 0 texts to teach with, and needs 100 at least"):
        find(few)


def test_a_broken_part_is_named(tmp_path: Path) -> None:
    from training.recipe.teacher_vectors import embed_texts

    write_static_model(tmp_path)
    source = open_encoder(str(tmp_path))
    vectors = embed_texts(source, ["good", "bad film"], folder=tmp_path)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-3)
    (kept,) = (tmp_path / "vectors").glob("*.npy")
    kept.write_bytes(b"rubbish")
    with pytest.raises(TrainingError, match=r"\.npy holds no vectors .* delete it"):
        embed_texts(source, ["good", "bad film"], folder=tmp_path)
