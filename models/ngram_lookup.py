"""The sum of a text's n-grams, without the network.

The exported graph computes the same, one piece at a time. Here it is computed for a whole text at
once. The answer of the n-grams is then known before the network has read the text.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.ngrams import NAME, ORDERS, find_repeated, hash_ngrams, spread
from models.versions import Version


@dataclass(frozen=True, eq=False)
class NgramLookup:
    """The table of n-grams of a classifier, for lookups without its network.

    Args:
        table: Signed square roots of the weights, shape (buckets, columns).
        scale: Amount that an entry of 1 adds to a logit.
        labels: Number of labels.
    """

    table: NDArray[np.generic]
    scale: float
    labels: int

    @classmethod
    def of(cls, version: Version) -> "NgramLookup | None":
        """Return the table of a version; None if it has none, or no record of its place."""
        metadata = version.metadata
        sizes = metadata.architecture.ngrams
        if sizes is None or sizes.scale is None or NAME not in metadata.weights:
            return None
        return cls(version.weight(NAME), sizes.scale, len(metadata.labels))

    def coming(self, ids: Row, *, every: int) -> NDArray[np.float64]:
        """Return the change of the logits by the n-grams of the rest of a text, at each look.

        Args:
            ids: The whole text.
            every: Tokens between two looks.

        Returns:
            Shape (looks, labels), without a look at the end.
        """
        starts = np.arange(0, len(ids), every)
        if len(starts) < 2:
            return np.empty((0, self.labels))
        padded = np.concatenate([np.zeros(ORDERS - 1, np.int64), np.asarray(ids, np.int64)])
        counts = ~find_repeated(padded, texts=np.zeros(len(ids), np.int64))
        sums = np.zeros((len(starts), self.table.shape[1]))
        for keys, count in zip(hash_ngrams(padded, buckets=len(self.table)), counts, strict=True):
            roots = self.table[keys].astype(np.float32)
            sums += np.add.reduceat(roots * np.abs(roots) * count[:, None], starts)
        ends = np.append(starts[1:], len(ids))
        logits = self.scale * sums.cumsum(axis=0) / np.sqrt(ends)[:, None]
        return spread(logits[-1] - logits[:-1], labels=self.labels).astype(np.float64)
