"""Tokens that are spelled alike share what they learn, and what is served does not know of it."""

from typing import Any

import numpy as np
import pytest

from training.settings import NetworkSettings

pytestmark = pytest.mark.tensorflow  # which the module imports

SHAPE = NetworkSettings(cell="gru", units=6, embedding=5, dropout=0.0, word_dropout=0.0)
TOKENS = ("[PAD]", "[UNK]", "sing", "singer", "zoo", "##sing", "##", "x", "##q")
IDS = np.array([[2, 3, 4, 5], [6, 2, 2, 0], [8, 1, 0, 0], [0, 0, 0, 0]], np.int32)


@pytest.fixture
def layer() -> Any:
    from training.network.subwords import SubwordEmbedding

    return SubwordEmbedding(TOKENS, SHAPE.embedding, name="embedding")


def pieces_of(layer: Any, token: str) -> set[int]:
    return set(layer._pieces[TOKENS.index(token)].numpy().tolist())


def test_pieces_have_two_to_five_characters_and_know_where_a_word_begins_and_ends() -> None:
    from training.data.spelling import spell

    assert spell("##able") == ["ab", "abl", "able", "bl", "ble", "le"]
    assert spell("at") == ["<a", "<at", "<at>", "at", "at>", "t>"]
    assert spell("aaa") == ["<a", "<aa", "<aaa", "<aaa>", "a>", "aa", "aa>", "aaa", "aaa>"]
    assert spell("##") == ["##", "##>", "#>", "<#", "<##", "<##>"]  # is a word, and marks no piece
    assert spell("##q") == []
    assert spell("🎬") == ["<🎬", "<🎬>", "🎬>"]


def test_only_what_several_tokens_have_is_shared(layer: Any) -> None:
    assert pieces_of(layer, "sing") & pieces_of(layer, "singer")
    assert pieces_of(layer, "##sing") < pieces_of(layer, "sing")
    for token in ("[PAD]", "[UNK]", "##q"):
        assert pieces_of(layer, token) == set()
    used = [piece for token in TOKENS for piece in pieces_of(layer, token)]
    assert sorted(set(used)) == list(range(layer.shared.shape[0]))
    assert min(used.count(piece) for piece in set(used)) == 2


def test_a_vector_is_its_own_and_the_mean_of_its_pieces(layer: Any) -> None:
    from training.network.subwords import WEIGHT

    own, shared = layer.get_weights()
    expected = own[IDS.flatten()]
    for row, id in enumerate(IDS.flat):
        if pieces := sorted(pieces_of(layer, TOKENS[id])):
            expected[row] += WEIGHT * shared[pieces].mean(axis=0)
    found = layer(IDS).numpy()
    assert found.shape == (*IDS.shape, SHAPE.embedding)
    np.testing.assert_allclose(found.reshape(-1, SHAPE.embedding), expected, atol=1e-6)


def test_texts_without_tokens_have_vectors_too(layer: Any) -> None:
    assert layer(np.zeros((3, 0), np.int32)).shape == (3, 0, SHAPE.embedding)


def test_a_step_on_one_word_moves_the_words_spelled_like_it(layer: Any) -> None:
    import tensorflow as tf

    from training.fitting.optimizer import AdamW

    before = layer.tabulate()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.array([[TOKENS.index("singer")]], np.int32)))
    optimizer = AdamW(layer.trainable_variables, rate=lambda _: tf.constant(0.1))
    optimizer.apply(tape.gradient(loss, layer.trainable_variables))
    moved = np.abs(layer.tabulate() - before).max(axis=1)
    for token, moves in {"singer": True, "sing": True, "##sing": True, "zoo": False}.items():
        assert (moved[TOKENS.index(token)] > 0) == moves, token


def test_no_pieces_at_all() -> None:
    from training.network.subwords import SubwordEmbedding

    layer = SubwordEmbedding(("[PAD]", "[UNK]", "a", "b"), 3, name="embedding")
    np.testing.assert_array_equal(layer.tabulate(), layer.get_weights()[0])


def test_the_table_is_the_same_in_parts(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.network import subwords

    whole = layer.tabulate()
    monkeypatch.setattr(subwords, "AT_ONCE", 4)
    np.testing.assert_array_equal(layer.tabulate(), whole)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_network_with_a_table_of_the_sums_says_the_same(layers: int) -> None:
    from dataclasses import replace

    from training.network.build import build_network, tabulate

    shape = replace(SHAPE, layers=layers)
    options: dict[str, Any] = {"vocabulary": len(TOKENS), "labels": 3}
    spelled = build_network(shape, seed=1, spelled=TOKENS, **options)
    plain = build_network(shape, seed=2, **options)
    tabulate(spelled, into=plain)
    np.testing.assert_allclose(plain(IDS), spelled(IDS), atol=1e-6)
    assert plain.get_layer("embedding").input_dim == len(TOKENS)
