"""The model card that the Hugging Face Hub shows, from the metadata of a version and its own card.

https://huggingface.co/docs/hub/model-cards describes the facts before the text.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from models.metadata import DataRecord, Metadata
from models.versions import EXTRA

CARD_NAME = "README.md"
TASK = "text-classification"
LIBRARY = "gatewise"
_METRICS = {
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro-F1"),
}
"""Names of ours, with the identifier and the name that the Hub has for each."""


def describe(
    metadata: Metadata, *, license: str | None, languages: tuple[str, ...]
) -> dict[str, Any]:
    """Return the facts of a card by the names of the Hub, without the measured figures.

    Args:
        metadata: Metadata of the version.
        license: Identifier of its licence, such as apache-2.0; left out if None.
        languages: Codes of its languages, such as en; left out if there are none.
    """
    facts: dict[str, Any] = {
        "pipeline_tag": TASK,
        "library_name": LIBRARY,
        "license": license,
        "language": list(languages) or None,
        "datasets": [metadata.data.source] if _is_on_hub(metadata.data) else None,
        "metrics": [_METRICS[name][0] for name in _METRICS if _is_measured(metadata, name)],
        "tags": [metadata.architecture.cell, metadata.task.replace("_", "-")],
        "model_name": metadata.name,
    }
    return {name: value for name, value in facts.items() if value}


def list_results(metadata: Metadata) -> list[dict[str, Any]]:
    """Return the measured figures as the Hub's model index has them, one for each split and metric.

    The splits are those of the metadata: `test` and `validation`, and parts of them.
    """
    data = metadata.data
    known: dict[str, Any] = {
        "task_type": TASK,
        "task_name": "Text Classification",
        "dataset_type": data.source if _is_on_hub(data) else _name_of(data),
        "dataset_name": _name_of(data),
        "dataset_config": data.config,
        "dataset_revision": data.revision,
    }
    return [
        known
        | {
            "dataset_split": split,
            "metric_type": _METRICS[name][0],
            "metric_name": f"{_METRICS[name][1]} ({split.replace('_', ' ')})",
            "metric_value": figures[name],
        }
        for split, figures in _ordered(metadata.metrics)
        for name in _METRICS
        if name in figures
    ]


def move_links(text: str) -> str:
    """Return the text of a version's own card for a place beside the folder that it lies in."""
    text = text.replace("](report/", f"]({EXTRA}/report/")
    return text.replace(
        "`metadata.json` beside this file", f"[metadata.json]({EXTRA}/metadata.json)"
    )


def _ordered(metrics: Mapping[str, dict[str, float]]) -> list[tuple[str, dict[str, float]]]:
    """Return the splits, those of test rows first, which the Hub shows first."""
    return sorted(metrics.items(), key=lambda item: not item[0].startswith("test"))


def _is_measured(metadata: Metadata, name: str) -> bool:
    return any(name in figures for figures in metadata.metrics.values())


def _is_on_hub(data: DataRecord) -> bool:
    return data.revision is not None  # which is a commit of the Hub


def _name_of(data: DataRecord) -> str:
    """Return the name of a dataset; of a local one without the folders, which tell of the user."""
    return data.source if _is_on_hub(data) else PurePath(data.source).stem or "local files"
