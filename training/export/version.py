"""Writes a classifier as a version: network in both forms, tokenizer and metadata."""

from pathlib import Path

from models.metadata import Metadata
from models.versions import EXTRA, METADATA, TOKENIZER
from training.console import console
from training.export.onnx import export_onnx
from training.export.savedmodel import export_saved_model
from training.export.weights import find_weights
from training.prepare import Prepared
from training.recipe.classifier import TrainedClassifier


def export_version(
    classifier: TrainedClassifier, prepared: Prepared, *, metadata: Metadata, folder: Path
) -> Metadata:
    """Write the version's network, tokenizer and metadata; return the metadata with its weights.

    Raises:
        ExportError: The network cannot be written.
    """
    with console.status("exporting"):
        export_saved_model(classifier, folder=folder)
        export_onnx(classifier, folder=folder)
        (folder / EXTRA).mkdir()
        prepared.tokenizer.save(folder / TOKENIZER)
        weights = find_weights(classifier, folder=folder)
        metadata = metadata.model_copy(update={"weights": weights})
        metadata.save(folder / METADATA)
    return metadata
