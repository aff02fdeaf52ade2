"""A trained classifier: the gated network and the n-gram table, joined."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import Task
from models.ngram_lookup import NgramLookup
from models.ngrams import spread
from training.calibration.probabilities import Logits
from training.calibration.scaling import Scaling
from training.linear.ngrams import NgramModel
from training.network.build import predict_logits
from training.settings import NetworkSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedClassifier:
    """The parts of a classifier that an export needs.

    Args:
        shape: Shape of the network.
        network: From ids to logits.
        ngrams: The table beside it, if there is one.
        scaling: How the logits of the network and of the n-grams add up.
        rule: How the labels follow from probabilities.
    """

    shape: NetworkSettings
    network: keras.Model
    ngrams: NgramModel | None
    scaling: Scaling
    rule: DecisionRule

    @property
    def task(self) -> Task:
        """Whether labels exclude each other."""
        return self.rule.task

    @property
    def labels(self) -> int:
        """Number of labels."""
        return int(self.network.output_shape[-1])

    def probabilities(self, rows: Sequence[Row]) -> Probabilities:
        """Return the probabilities (rows, labels) of each row of ids."""
        return self.scaling.probabilities(halves(self.network, self.ngrams, rows), task=self.task)

    @property
    def head(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Kernel and bias from the network's pool to logits, scaling and all biases folded in."""
        kernel, bias = self.network.get_layer("logits").get_weights()
        biases = [bias[None]]
        if self.ngrams is not None:
            biases.append(spread(self.ngrams.bias[None], labels=self.labels))
        return kernel * np.float32(self.scaling.weights[0]), self.scaling.add(biases)[0]

    @property
    def ngram_scale(self) -> float:
        """The weight of a table entry of 1 in the joined logits."""
        return self.ngrams.scale * self.scaling.weights[1] if self.ngrams is not None else 0.0

    @property
    def ngram_lookup(self) -> NgramLookup | None:
        """The table for lookups without the network."""
        if self.ngrams is None:
            return None
        return NgramLookup(self.ngrams.table, self.ngram_scale, self.labels)


def halves(network: keras.Model, ngrams: NgramModel | None, rows: Sequence[Row]) -> list[Logits]:
    """Return the logits (rows, labels) of the network and, if there are any, of the n-grams."""
    logits = predict_logits(network, rows)
    return [logits] if ngrams is None else [logits, ngrams.logits(rows)]
