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

REPORT_BYTES = 8_000_000  # of the report, the card and the small files


def size_of_version(classifier: TrainedClassifier) -> int:
    """Return about how many bytes a version takes; the small weights are stored in both forms."""
    table = classifier.ngrams.table.nbytes if classifier.ngrams is not None else 0
    vectors = classifier.network.get_layer("embedding").count_params()
    others = classifier.network.count_params() - vectors
    return 2 * vectors + 2 * 4 * others + table + REPORT_BYTES


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
