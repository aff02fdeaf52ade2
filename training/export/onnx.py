"""Writes the network a second time, as ONNX, with a fused operator per layer.

The embedding, by far the largest weight, is not stored again: it is read from the SavedModel's
variables by offset.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from models.cells import weight_names
from models.network import HEAD
from models.ngrams import NAME
from models.onnx_network import SCALE, write_network
from models.versions import ONNX
from training.export.onnx_model import make_model
from training.export.state import describe_network
from training.export.weights import find_bytes
from training.recipe.classifier import TrainedClassifier


def export_onnx(classifier: TrainedClassifier, *, folder: Path) -> None:
    """Write `model.onnx` beside the SavedModel that is already in `folder`."""
    graph = write_network(describe_network(classifier), collect_weights(classifier))
    places = {name: find_bytes(folder, table) for name, table in graph.tables.items()}
    path = folder / ONNX
    path.write_bytes(make_model(graph, places=places).SerializeToString())
    onnx.checker.check_model(str(path), full_check=True)


def collect_weights(classifier: TrainedClassifier) -> dict[str, NDArray[np.generic]]:
    """Return the weights of a classifier as its version has them, by name."""
    network, shape = classifier.network, classifier.shape
    table = network.get_layer("embedding").embeddings.numpy().astype(np.float16)
    weights = {"embedding": table, **dict(zip(HEAD, classifier.head, strict=True))}
    for layer in range(shape.layers):
        arrays = network.get_layer(f"recurrent_{layer}").get_weights()
        weights |= zip(weight_names(shape.cell, layer), arrays, strict=True)
    if classifier.ngrams is not None:
        weights |= {NAME: classifier.ngrams.table, SCALE: np.float32(classifier.ngram_scale)}
    return weights
