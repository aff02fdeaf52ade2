"""How weights follow gradients, in a fit and in a pretraining alike."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

LARGEST_NORM = 1.0  # of all gradients together


def make_rate(highest: float, *, steps: int, warmup: int) -> Any:
    """Return a learning rate that rises for `warmup` steps and then falls along a cosine."""
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=highest, warmup_steps=warmup
    )


def descend(gradients: Sequence[Any], *, optimizer: Any, variables: Sequence[Any]) -> None:
    """Let the optimizer follow the gradients of the variables, clipped by their norm."""
    clipped, _ = tf.clip_by_global_norm(gradients, LARGEST_NORM)
    optimizer.apply(clipped, variables)
