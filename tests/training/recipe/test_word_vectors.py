"""A network that is given word vectors starts from them, and its version names their source."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.training.labelled_files import make_rows
from tests.training.test_run import make_run, restore, save
from tests.training.vectors.models import write_static_model
from training.errors import TrainingError
from training.linear import ngrams
from training.settings import FitSettings, NetworkSettings

if TYPE_CHECKING:
    from training.run import Run

pytestmark = pytest.mark.tensorflow  # which the module imports

# Of each text, some words are known to the model of vectors.
ROWS = [
    (f"the {'good' if label else 'bad'} film {text}", label)
    for text, label in make_rows(60, labels=[0, 1])
]


@pytest.fixture(autouse=True)
def quick(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "TABLE_BYTES", 1)


def make_started(folder: Path) -> "Run":
    from training.vectors.opening import open_vectors
    from training.vectors.table import make_table

    write_static_model(folder / "vectors")
    run = make_run(
        folder,
        rows=ROWS,
        vectors="/some/folder/vectors",
        network=NetworkSettings(cell="gru", units=3, embedding=4),
        fit=FitSettings(epochs=1, batch=40, adversarial=0.0),
    )
    source = open_vectors(str(folder / "vectors"))
    table = make_table(source, run.prepared.tokenizer.tokens, width=4, seed=1)
    return replace(run, vectors=table)


def test_the_embedding_is_that_of_the_vectors(tmp_path: Path) -> None:
    from training.recipe.learn import build_start

    run = make_started(tmp_path)
    assert run.vectors is not None
    assert not run.spells
    begun = build_start(run, encoder=None).get_layer("embedding").get_weights()[0]
    np.testing.assert_array_equal(begun, run.vectors.table)


def test_a_version_names_their_source_without_its_path(tmp_path: Path) -> None:
    from training.evaluation.card import _name_origins
    from training.export.metadata import _describe_settings

    run = make_started(tmp_path)
    described = _describe_settings(run.settings, run.origins)
    assert described["vectors"] == described["vectors_name"] == "vectors"
    assert described["vectors_license"] == "mit"
    assert len(str(described["vectors_sha256"])) == 64
    assert "/some/folder" not in str(described)
    assert _name_origins(described) == "the word vectors of vectors (mit)"


def test_a_checkpoint_of_other_vectors_is_refused(tmp_path: Path) -> None:
    run = make_started(tmp_path)
    assert run.vectors is not None
    save(run)
    assert restore(run).epoch == 1
    other = replace(run.vectors, record=replace(run.vectors.record, sha256="1" * 64))
    with pytest.raises(TrainingError, match="vectors was"):
        restore(replace(run, vectors=other))
