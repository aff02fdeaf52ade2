"""Makes the metadata of a version."""

import platform
import subprocess
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from models import __version__
from models.metadata import Architecture, DataRecord, Metadata, NgramTable, Setting, SplitRecord
from models.ngrams import ORDERS
from training.data.unlabeled import shorten_name
from training.export.state import describe_state
from training.prepare import Prepared
from training.provenance import Provenance
from training.recipe.classifier import TrainedClassifier
from training.recipe.learn import Learned
from training.settings import TrainSettings

LIBRARIES = (
    "tensorflow",
    "keras",
    "numpy",
    "scikit-learn",
    "datasets",
    "tokenizers",
    "onnx",
    "onnxruntime",
)


def make_metadata(
    prepared: Prepared,
    learned: Learned,
    settings: TrainSettings,
    *,
    origins: Mapping[str, Provenance] | None = None,
) -> Metadata:
    """Return the metadata without metrics, version number and file records.

    Args:
        prepared: The data.
        learned: The classifier.
        settings: The settings of the training.
        origins: The sources of what the network started from, by setting.
    """
    classifier = learned.classifier
    shape = settings.network
    return Metadata(
        name=settings.name,
        version=1,
        created=datetime.now(UTC).replace(microsecond=0),
        git_commit=_git_commit(),
        task=classifier.task,
        labels=prepared.data.labels,
        thresholds=classifier.rule.thresholds,
        tokenizer_sha256=prepared.tokenizer.digest,
        architecture=Architecture(
            cell=shape.cell,
            layers=shape.layers,
            units=shape.units,
            embedding=shape.embedding,
            vocabulary=len(prepared.tokenizer),
            parameters=classifier.network.count_params(),
            ngrams=_describe_ngrams(classifier),
        ),
        streamable=True,
        state=describe_state(classifier),
        data=_describe_data(prepared),
        settings=_describe_settings(settings, origins or {}),
        metrics={},
        training=learned.record(),
        libraries=_library_versions(),
        files={},
    )


def _describe_settings(
    settings: TrainSettings, origins: Mapping[str, Provenance]
) -> dict[str, Setting]:
    """Return the settings; in place of paths stand the names of what was there."""
    corpus = shorten_name(settings.unlabeled) if settings.unlabeled else None
    described = settings.record() | {"unlabeled": corpus}
    for origin, record in origins.items():
        if isinstance(described[origin], str):
            described[origin] = record.name
        elif origin == "pretrained" and settings.start_from is not None:
            described["start_from"] = record.name
        described |= {f"{origin}_{name}": value for name, value in asdict(record).items()}
    return described


def _describe_ngrams(classifier: TrainedClassifier) -> NgramTable | None:
    if classifier.ngrams is None:
        return None
    buckets, columns = classifier.ngrams.table.shape
    return NgramTable(orders=ORDERS, buckets=buckets, columns=columns, scale=classifier.ngram_scale)


def _describe_data(prepared: Prepared) -> DataRecord:
    data = prepared.data
    records = {
        purpose: SplitRecord(
            split=split.name,
            rows=len(split),
            tokens=sum(map(len, prepared.ids[purpose])),
            sha256=split.sha256,
        )
        for purpose, split in data.splits.items()
    }
    return DataRecord(
        source=data.source.name,
        config=data.source.config,
        revision=data.source.revision,
        text_column=data.text_column,
        label_column=data.label_column,
        train=records["train"],
        validation=records["validation"],
        test=records.get("test"),
    )


def _library_versions() -> dict[str, str]:
    """Return the versions of all libraries that can change the result."""
    own = {"gatewise": __version__, "python": platform.python_version()}
    return (
        own | {"unicode": unicodedata.unidata_version} | {name: version(name) for name in LIBRARIES}
    )


def _git_commit() -> str | None:
    """Return the commit of this source tree; None outside of a git checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
