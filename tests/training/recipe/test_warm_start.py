"""A training goes on where a version stopped, with more words and other labels perhaps."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer
from tests.rules import LIKELIEST
from tests.training.pretrained.networks import make_pretrained
from training.errors import TrainingError
from training.settings import NetworkSettings

if TYPE_CHECKING:
    from training.recipe.warm_start import Start

pytestmark = pytest.mark.tensorflow  # which the module imports

SHAPE = NetworkSettings(cell="lstm", layers=2, units=3, embedding=4)
LABELS = ("bad", "good", "mixed")
KNOWN = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "good", "book", "##s", "bad"])
MORE = Tokenizer([*KNOWN.tokens, "books", "zzz", "##ing"])
ROWS = [[], [2], [3, 4, 5, 1], [5] * 9]


def build(tokenizer: Tokenizer, *, labels: int = 3, seed: int) -> Any:
    from training.network.build import build_network

    return build_network(SHAPE, vocabulary=len(tokenizer), labels=labels, seed=seed)


@pytest.fixture(scope="module")
def network() -> Any:
    from training.network.build import round_embedding

    network = build(KNOWN, seed=0)
    round_embedding(network)
    return network


@pytest.fixture(scope="module")
def start(network: Any, tmp_path_factory: pytest.TempPathFactory) -> "Start":
    """What is read from the export of the network."""
    from training.calibration.scaling import Scaling
    from training.export.savedmodel import export_saved_model
    from training.recipe.classifier import TrainedClassifier
    from training.recipe.warm_start import read_start

    folder = tmp_path_factory.mktemp("exported")
    scaling = Scaling((1.0,), np.zeros(len(LABELS), np.float32))
    parts: dict[str, Any] = {"ngrams": None, "scaling": scaling, "rule": LIKELIEST}
    classifier = TrainedClassifier(shape=SHAPE, network=network, **parts)
    export_saved_model(classifier, folder=folder)
    return read_start(make_version(folder))


def make_version(folder: Path) -> Any:
    metadata = SimpleNamespace(architecture=SHAPE, labels=LABELS)
    return SimpleNamespace(path=folder, metadata=metadata, tokenizer=KNOWN)


def logits(network: Any) -> np.ndarray:
    from training.network.build import predict_logits

    return predict_logits(network, ROWS)


def test_it_begins_where_the_version_stopped(network: Any, start: "Start") -> None:
    other = build(KNOWN, seed=1)
    start.give_to(other, tokenizer=KNOWN, labels=LABELS)
    np.testing.assert_allclose(logits(other), logits(network), atol=1e-6)


def test_new_words_change_nothing_for_known_ones(network: Any, start: "Start") -> None:
    other = build(MORE, seed=1)
    start.give_to(other, tokenizer=MORE, labels=LABELS)
    np.testing.assert_allclose(logits(other), logits(network), atol=1e-6)


def test_new_words_mean_what_their_pieces_meant(start: "Start") -> None:
    other = build(MORE, seed=1)
    fresh = other.get_layer("embedding").get_weights()[0]
    start.give_to(other, tokenizer=MORE, labels=LABELS)
    table = other.get_layer("embedding").get_weights()[0]
    np.testing.assert_allclose(table[6], (table[3] + table[4]) / 2)
    np.testing.assert_allclose(table[7], table[1])  # made of nothing that was known
    np.testing.assert_array_equal(table[8], fresh[8])  # no word


def test_a_token_that_is_no_word_by_itself_keeps_its_own_vector(start: "Start") -> None:
    tokenizer = Tokenizer([*MORE.tokens, "\u200d"])
    assert KNOWN.encode_word("\u200d") == ()
    other = build(tokenizer, seed=1)
    fresh = other.get_layer("embedding").get_weights()[0]
    start.give_to(other, tokenizer=tokenizer, labels=LABELS)
    table = other.get_layer("embedding").get_weights()[0]
    np.testing.assert_array_equal(table[-1], fresh[-1])
    assert np.isfinite(table).all()


def test_labels_are_known_by_name(network: Any, start: "Start") -> None:
    other = build(KNOWN, labels=2, seed=1)
    start.give_to(other, tokenizer=KNOWN, labels=("good", "new"))
    np.testing.assert_allclose(logits(other)[:, 0], logits(network)[:, 1], atol=1e-6)
    assert not np.allclose(logits(other)[:, 1], logits(network)[:, 2])


def test_weights_that_cannot_be_read(tmp_path: Path) -> None:
    from training.recipe.warm_start import read_start

    with pytest.raises(TrainingError, match="cannot be read") as caught:
        read_start(make_version(tmp_path))
    assert str(tmp_path) in str(caught.value)


def test_a_network_without_labels_leaves_the_head_alone() -> None:
    from training.network.build import build_network
    from training.recipe.warm_start import start_of

    known = make_pretrained("gru")
    tokenizer = Tokenizer([*known.tokenizer.tokens, "book"])
    shape = NetworkSettings(cell="gru", units=3, embedding=4)
    network = build_network(shape, vocabulary=len(tokenizer), labels=2, seed=0)
    head = network.get_layer("logits").get_weights()
    start_of(known).give_to(network, tokenizer=tokenizer, labels=("a", "b"))
    table = network.get_layer("embedding").get_weights()[0]
    np.testing.assert_array_equal(table[: len(known.tokenizer)], known.embedding)
    np.testing.assert_allclose(table[-1], known.embedding[[7, 8, 8, 9]].mean(axis=0), rtol=1e-5)
    for mine, yours in zip(
        network.get_layer("recurrent_0").get_weights(), known.layers[0], strict=True
    ):
        np.testing.assert_array_equal(mine, yours)
    for mine, yours in zip(network.get_layer("logits").get_weights(), head, strict=True):
        np.testing.assert_array_equal(mine, yours)
