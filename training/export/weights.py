"""Finds the weights in the SavedModel's variables, so that a version stores them once."""

import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.cells import weight_names
from models.metadata import WeightRecord
from models.ngrams import NAME
from models.versions import WEIGHTS
from training.errors import ExportError
from training.recipe.classifier import TrainedClassifier


def find_weights(classifier: TrainedClassifier, *, folder: Path) -> dict[str, WeightRecord]:
    """Return the places of the embedding, the layers' weights and the n-gram table, by name."""
    network = classifier.network
    arrays = {"embedding": network.get_layer("embedding").embeddings.numpy().astype(np.float16)}
    for index in range(classifier.shape.layers):
        weights = network.get_layer(f"recurrent_{index}").get_weights()
        arrays |= zip(weight_names(classifier.shape.cell, index), weights, strict=True)
    if classifier.ngrams is not None:
        arrays[NAME] = classifier.ngrams.table
    return {
        name: WeightRecord(
            offset=find_bytes(folder, array), shape=array.shape, dtype=array.dtype.name
        )
        for name, array in arrays.items()
    }


def find_bytes(folder: Path, array: NDArray[np.generic]) -> int:
    """Return the offset of an array in the variables of the SavedModel in a folder.

    Raises:
        ExportError: The array is not there.
    """
    path = folder / WEIGHTS
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        offset = data.find(array.tobytes())
    if offset < 0:
        raise ExportError(f"{path} does not hold a table's bytes")
    return offset
