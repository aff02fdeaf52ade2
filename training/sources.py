"""Finds a dataset, on disk or at the Hugging Face Hub, and loads its splits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import httpx
from datasets import Dataset, DatasetDict
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from training.errors import DataError

HUB_TIMEOUT_SECONDS = 30

# Only an empty field is a missing one: "NA", "None" and "null" are words that people write.
_CSV: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
_BUILDERS: dict[str, tuple[str, dict[str, Any]]] = {
    ".csv": ("csv", _CSV),
    ".tsv": ("csv", {**_CSV, "sep": "\t"}),
    ".json": ("json", {}),
    ".jsonl": ("json", {}),
    ".parquet": ("parquet", {}),
}


@dataclass(frozen=True)
class Source:
    """The splits of a dataset and where they came from.

    Args:
        description: What was found, in words.
        name: The dataset as the user named it; a local path is cut to its last part.
        config: The Hub configuration, if one was asked for.
        revision: The Hub commit, None for what is on disk.
        splits: The rows by split.
    """

    description: str
    name: str
    config: str | None
    revision: str | None
    splits: dict[str, Dataset]


def load_source(dataset: str, *, config: str | None, revision: str | None) -> Source:
    """Load a file, a folder or a Hub dataset, whichever `dataset` names, in this order.

    Raises:
        DataError: It is in no such place or cannot be read.
    """
    path = Path(dataset).expanduser()
    if path.exists():
        if revision is not None:
            raise DataError(f"--revision is for Hub datasets, but {dataset} is a local path")
        return _load_local(path, config=config)
    if _looks_like_path(dataset):
        raise DataError(f"no file or folder {dataset}")
    return _load_hub(dataset, config=config, revision=revision)


def _looks_like_path(dataset: str) -> bool:
    return (
        dataset.startswith((".", "/", "~"))
        or dataset.count("/") > 1
        or Path(dataset).suffix.lower() in _BUILDERS
    )


def _load_local(path: Path, *, config: str | None) -> Source:
    kind = "file" if path.is_file() else "folder"
    try:
        loaded = _read_file(path) if kind == "file" else _read_folder(path, config=config)
    except DataError:
        raise
    except Exception as error:  # the builders raise whatever their parsers do
        raise DataError(f"cannot read {path}: {_cause(error)}") from error
    name = path.resolve().name
    return Source(f"local {kind} {path}", name, config, None, _as_splits(loaded))


def _read_file(path: Path) -> DatasetDict:
    if path.suffix.lower() not in _BUILDERS:
        known = ", ".join(_BUILDERS)
        raise DataError(f"{path}: unknown kind of file; known are {known}")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    builder, options = _BUILDERS[path.suffix.lower()]
    return datasets.load_dataset(builder, data_files={"train": str(path)}, **options)


def _read_folder(path: Path, *, config: str | None) -> DatasetDict | Dataset:
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return datasets.load_from_disk(str(path))
    return datasets.load_dataset(str(path), name=config)


def _load_hub(dataset: str, *, config: str | None, revision: str | None) -> Source:
    """Load a Hub dataset at the commit that the Hub names now, so no stale copy can pass for it."""
    commit = _find_commit(dataset, revision=revision)
    try:
        loaded = datasets.load_dataset(dataset, name=config, revision=commit)
    except Exception as error:  # as for local files, and whatever the network raises
        raise DataError(f"cannot load {dataset} at {commit}: {_cause(error)}") from error
    return Source(
        f"Hub dataset {dataset} at {commit[:12]}", dataset, config, commit, _as_splits(loaded)
    )


def _find_commit(dataset: str, *, revision: str | None) -> str:
    hub = constants.ENDPOINT
    try:
        info = HfApi().dataset_info(dataset, revision=revision, timeout=HUB_TIMEOUT_SECONDS)
    except GatedRepoError as error:
        raise DataError(
            f"{dataset} is gated: accept its terms at {hub}/datasets/{dataset}, "
            "then set HF_TOKEN to a token of that account"
        ) from error
    except RevisionNotFoundError as error:
        raise DataError(f"{dataset} has no revision {revision} at {hub}") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise DataError(
            f"no file or folder {dataset!r} here, and no such dataset at {hub} "
            "(a private one needs HF_TOKEN)"
        ) from error
    except (OfflineModeIsEnabled, httpx.HTTPError, HfHubHTTPError, OSError) as error:
        raise DataError(
            f"cannot reach the Hub at {hub} ({_cause(error)}); download the dataset elsewhere "
            "and give its folder or file as --dataset"
        ) from error
    if info.sha is None:
        raise DataError(f"{hub} names no commit for {dataset}")
    return info.sha


def _as_splits(loaded: DatasetDict | Dataset) -> dict[str, Dataset]:
    if isinstance(loaded, Dataset):
        return {"train": loaded}
    return {str(name): split for name, split in loaded.items()}


def _cause(error: BaseException) -> str:
    """Return the first line of the error at the bottom of a chain, which says what happened."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
