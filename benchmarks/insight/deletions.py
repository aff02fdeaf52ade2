"""Measures a probability without the tokens that contributed most to it, beside random ones."""

import random
import statistics
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.decisions import DecisionRule, log_odds
from models.versions import Version
from service.engines.batched import compute
from service.engines.protocol import Engine
from service.replay import watch

DELETED = 10
DRAWS = 5  # of random tokens

Ids = list[int]


def measure_deletions(version: Version, engine: Engine, texts: Sequence[str]) -> dict[str, float]:
    """Return the mean fall of the label's probability, by the way of choosing tokens."""
    chance = random.Random(0)
    falls: dict[str, list[float]] = {"prefix": [], "occlusion": [], "random": []}
    for ids in version.tokenizer.encode_batch(texts):
        if len(ids) <= DELETED:
            continue
        looked = _Looked(version, engine, ids)
        for name, contributions in (("prefix", looked.prefix()), ("occlusion", looked.occlusion())):
            most = np.argsort(contributions)[-DELETED:]
            falls[name].append(looked.fall_without([most]))
        draws = [np.array(chance.sample(range(len(ids)), DELETED)) for _ in range(DRAWS)]
        falls["random"].append(looked.fall_without(draws))
    return {name: statistics.mean(values) for name, values in falls.items()}


class _Looked:
    """A text, its version and engine.

    Args:
        version: The version that answers.
        engine: The engine that computes.
        ids: Token ids of the text.
    """

    def __init__(self, version: Version, engine: Engine, ids: Ids) -> None:
        self._state, self._task = version.metadata.state, version.metadata.task
        self._engine, self._ids = engine, ids
        self._whole = compute(engine, [ids], state=self._state)
        self._label = DecisionRule.of(version.metadata).foremost(self._whole[0])

    def prefix(self) -> NDArray[np.float64]:
        """Return by how much each token changes the log-odds of the label."""
        nothing = compute(self._engine, [[]], state=self._state)
        seen = watch(self._engine, self._ids, state=self._state, every=1)
        return np.diff(log_odds(np.concatenate([nothing, seen]), self._label, task=self._task))

    def occlusion(self) -> NDArray[np.float64]:
        """Return by how much the log-odds fall without each token."""
        without = [np.delete(self._ids, place) for place in range(len(self._ids))]
        rows = np.concatenate([self._whole, compute(self._engine, without, state=self._state)])
        odds = log_odds(rows, self._label, task=self._task)
        return odds[0] - odds[1:]

    def fall_without(self, choices: Sequence[NDArray[np.int64]]) -> float:
        """Return by how much the probability falls without some tokens, as a mean over choices."""
        rows = [np.delete(self._ids, places) for places in choices]
        left = compute(self._engine, rows, state=self._state)[:, self._label]
        return float(np.mean(self._whole[0, self._label] - left))
