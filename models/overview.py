"""What there is in a store, as rows and facts to print."""

from typing import Any

from models.errors import GatewiseError
from models.metadata import Metadata
from models.registry import Store
from models.version_labels import VersionLabels
from models.versions import Version

Row = dict[str, Any]
"""Values of JSON by name."""


def list_versions(store: Store, *, model: str | None = None) -> list[Row]:
    """Return a row for each version, the newest of each model first.

    Args:
        store: The store.
        model: The model; all if absent.

    Raises:
        ModelNotFound: There is no such model.
        VersionCorrupt: The file of a model's labels is damaged.
    """
    names = store.names() if model is None else [model]
    rows = []
    for name in names:
        versions, labels = store.require(name), store.labels(name)
        answers = labels.answering(newest=versions[-1].number)
        rows += [_row(each, labels, answers=answers) for each in reversed(versions)]
    return rows


def describe(store: Store, version: Version) -> Row:
    """Return what a version is, what it was trained on, and which labels it has and had.

    Raises:
        VersionCorrupt: Its metadata, or the file of the labels, is damaged.
        FormatTooNew: A newer release wrote it.
    """
    metadata, labels = version.metadata, store.labels(version.name)
    answers = labels.answering(newest=store.require(version.name)[-1].number)
    return {
        **_row(version, labels, answers=answers),
        "task": metadata.task,
        "classes": list(metadata.labels),
        "parameters": metadata.architecture.parameters,
        "data": metadata.data.source,
        "revision": metadata.data.revision,
        "rows": metadata.data.train.rows,
        "metrics": metadata.metrics,
        "baseline": metadata.baseline,
        "git_commit": metadata.git_commit,
        "format_version": metadata.format_version,
        "had": {
            label: [each.since.isoformat() for each in given if each.version == version.number]
            for label, given in labels.assignments.items()
            if any(each.version == version.number for each in given)
        },
        "verdicts": [
            each.model_dump(mode="json")
            for each in labels.verdicts
            if each.version == version.number
        ],
        "folder": str(version.path),
    }


def _row(version: Version, labels: VersionLabels, *, answers: int) -> Row:
    given = [label for label, number in labels.versions.items() if number == version.number]
    row: Row = {
        "model": version.name,
        "version": version.number,
        "labels": given,
        "answers": version.number == answers,
        "verdict": _last_verdict(version, labels),
        "created": None,
        "cell": None,
        "test": None,
        "MB": None,
    }
    try:
        metadata = version.metadata
    except (GatewiseError, OSError) as error:
        return row | {"fault": str(error)}
    size = sum(record.size for record in metadata.files.values())
    return row | {
        "created": metadata.created.isoformat(timespec="seconds"),
        "cell": metadata.architecture.cell,
        "test": _score(metadata),
        "MB": round(size / 1e6, 1),
    }


def _last_verdict(version: Version, labels: VersionLabels) -> str | None:
    """Return what became of a version when it was last tried beside the stable one."""
    for each in reversed(labels.verdicts):
        if each.version == version.number:
            return each.outcome.replace("_", " ")
    return None


def _score(metadata: Metadata) -> float | None:
    """Return accuracy on test rows, or macro-F1 where a text has several labels."""
    found = metadata.metrics.get("test", {})
    score = found.get("accuracy" if metadata.task == "single_label" else "macro_f1")
    return None if score is None else round(score, 4)
