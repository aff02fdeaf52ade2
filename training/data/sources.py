"""Finds a dataset, on disk or at the Hugging Face Hub, and loads its splits."""

import glob
import sys
from dataclasses import dataclass
from pathlib import Path

import datasets
import huggingface_hub
from datasets import Dataset, DatasetDict
from huggingface_hub import constants

from training.data.builders import build, describe_cause, find_builder
from training.data.files import READERS, read_file
from training.data.hub import load_from_hub
from training.errors import DataError


@dataclass(frozen=True)
class Source:
    """The splits of a dataset and their origin.

    Args:
        description: The origin in words.
        name: The dataset as the user named it; a local path is cut to its last part.
        config: The Hub configuration, if one was named.
        revision: The Hub commit; None for local data.
        splits: The rows by split.
    """

    description: str
    name: str
    config: str | None
    revision: str | None
    splits: dict[str, Dataset]


def load_source(dataset: str, *, config: str | None, revision: str | None) -> Source:
    """Load the file, the folder or the Hub dataset that `dataset` names, tried in this order.

    Raises:
        DataError: It is not found or cannot be read.
    """
    if not dataset.strip():
        raise DataError("--dataset names nothing: give a file, a folder or a Hub id")
    _set_up_libraries()
    path = _as_path(dataset)
    if path.exists():
        if revision is not None:
            raise DataError(f"--revision is for Hub datasets, but {dataset} is a local path")
        return _load_local(path, config=config)
    if _looks_like_path(dataset):
        raise DataError(f"no file or folder {dataset}")
    commit, loaded = load_from_hub(dataset, config=config, revision=revision)
    description = f"Hub dataset {dataset} at {commit[:12]}"
    return Source(description, dataset, config, commit, _as_splits(loaded))


def _set_up_libraries() -> None:
    """Silence the libraries: errors are raised, and their bars would mix with other output."""
    datasets.config.HF_ENDPOINT = constants.ENDPOINT  # without a slash at its end
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    huggingface_hub.logging.set_verbosity(huggingface_hub.logging.CRITICAL)
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
        huggingface_hub.utils.disable_progress_bars()


def _as_path(dataset: str) -> Path:
    try:
        return Path(dataset).expanduser()
    except RuntimeError:  # there is no such user
        return Path(dataset)


def _looks_like_path(dataset: str) -> bool:
    return (
        dataset.startswith((".", "/", "~"))
        or dataset.count("/") > 1
        or Path(dataset).suffix.lower() in READERS
    )


def _load_local(path: Path, *, config: str | None) -> Source:
    kind = "file" if path.is_file() else "folder"
    try:
        loaded = _read_file(path, config) if kind == "file" else _read_folder(path, config)
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8 ({describe_cause(error)})") from error
    except Exception as error:  # the builders raise whatever their parsers do
        raise DataError(f"cannot read {path}: {describe_cause(error)}") from error
    name = path.resolve().name
    return Source(f"local {kind} {path}", name, config, None, _as_splits(loaded))


def _read_file(path: Path, config: str | None) -> Dataset:
    _refuse_config(config, path)
    return read_file(path)


def _read_folder(path: Path, config: str | None) -> DatasetDict | Dataset:
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        _refuse_config(config, path)
        return datasets.load_from_disk(str(path))
    # Absolute, because a folder may have the name of a builder.
    folder = str(path.resolve())
    if glob.has_magic(folder):
        raise DataError(f"cannot read {folder}: a folder's path must not hold any of *?[")
    return build(find_builder(folder, config=config, commit=None))


def _refuse_config(config: str | None, path: Path) -> None:
    if config is not None:
        raise DataError(f"--config {config!r}: {path} has no configurations")


def _as_splits(loaded: DatasetDict | Dataset) -> dict[str, Dataset]:
    if isinstance(loaded, Dataset):
        return {"train": loaded}
    return {str(name): split for name, split in loaded.items()}
