"""The influence of a token on the verdict: its gradient, by distance from the end.

On its way back through a simple cell, an error is multiplied at each token by the same matrix and
by the slope of tanh. It therefore fades or explodes (Hochreiter, 1991; Bengio, Simard and Frasconi,
"Learning long-term dependencies with gradient descent is difficult", IEEE Transactions on Neural
Networks 5, 1994). Two gradients are measured. That of the last state passes through the cell all
the way. That of the verdict also passes through the pool, whose maximum and mean see every state.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.batching import Row
from training.network.build import run_layers

SPANS = (512, 256, 128, 64, 32, 16, 8, 4, 2, 1)  # tokens; the longest with enough texts counts
ENOUGH, MOST = 32, 64  # texts
FAINT = 0.01  # of the last token's gradient; less counts as none


@dataclass(frozen=True, eq=False)
class Fading:
    """Gradients by distance from the end, relative to distance 0; each (span,).

    Args:
        verdict: Gradient of the log-odds of the given label.
        state: Gradient of the part of these log-odds from the last state alone.
    """

    verdict: NDArray[np.float64]
    state: NDArray[np.float64]


def choose_rows(rows: Sequence[Row]) -> tuple[list[int], int]:
    """Return the numbers of the texts that are long enough, and their span in tokens.

    Where there are few texts, half of them are enough.
    """
    enough = min(ENOUGH, math.ceil(sum(map(bool, rows)) / 2))
    for span in SPANS:
        chosen = [number for number, row in enumerate(rows) if len(row) >= span][:MOST]
        if len(chosen) >= enough:
            break
    return chosen, span


def choose_texts(rows: Sequence[Row]) -> NDArray[np.int32]:
    """Return the starts of texts that are long enough, all of one length, (texts, span)."""
    chosen, span = choose_rows(rows)
    return np.array([rows[row][:span] for row in chosen], np.int32).reshape(len(chosen), span)


def measure_fading(network: keras.Model, ids: NDArray[np.int32]) -> Fading:
    """Return the fading of gradients in texts (texts, span), as geometric mean over the texts."""
    vectors = network.get_layer("embedding")(ids)
    label = tf.argmax(_read(network, vectors, ids, of="verdict"), axis=1)
    found = {}
    for of in ("verdict", "state"):
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            odds = _margin(_read(network, vectors, ids, of=of), label)
        found[of] = _shares(tape.gradient(odds, vectors).numpy())
    return Fading(**found)


def reach(shares: NDArray[np.float64]) -> int:
    """Return the greatest distance with no faint gradient up to it."""
    faint = np.flatnonzero(~(shares >= FAINT))
    return int(faint[0] if len(faint) else len(shares)) - 1


def _read(network: keras.Model, vectors: tf.Tensor, ids: NDArray[np.int32], *, of: str) -> Any:
    """Return the logits (texts, labels) of vectors: from the whole pool, or its last third."""
    states, head = run_layers(network, vectors), network.get_layer("logits")
    if of == "verdict":
        return head(network.get_layer("pool")(states, ids))
    units = states.shape[-1]
    return states[:, -1] @ head.kernel[2 * units :]


def _margin(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """Return the logit of the label minus that of the likeliest other, (texts,)."""
    chosen = tf.one_hot(label, logits.shape[1])
    others = tf.reduce_max(logits - 1e9 * chosen, axis=1)
    return tf.reduce_sum(logits * chosen, axis=1) - others


def _shares(gradients: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the geometric mean over texts of the norms (texts, span) by distance, from 1 on."""
    norms = np.linalg.norm(gradients.astype(np.float64), axis=2)[:, ::-1]
    tiny = np.finfo(np.float64).tiny
    mean = np.exp(np.log(np.maximum(norms, tiny)).mean(axis=0))
    return mean / mean[0]
