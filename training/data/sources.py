"""Finds a dataset, on disk or at the Hugging Face Hub, and loads its splits."""

import difflib
import glob
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import datasets
import huggingface_hub
from huggingface_hub import constants

from models.tables.kinds import is_table
from training.data.builders import (
    as_splits,
    build_by_content,
    describe_cause,
    find_builder,
    refuse_cache,
)
from training.data.files import read_file, read_files
from training.data.folders import read_class_folders, read_plain_files
from training.data.hub import load_from_hub
from training.data.rows import Rows, TableRows, reach_columns
from training.data.split_files import find_split_files
from training.errors import DataError
from training.reading import Reading


@dataclass(frozen=True)
class Source:
    """The splits of a dataset and their origin.

    Args:
        description: The origin in words.
        name: The dataset as the user named it; a local path is cut to its last part.
        config: The Hub configuration, if one was named.
        revision: The Hub commit; None for local data.
        splits: The rows by split.
        remarks: How its files were found, in words.
    """

    description: str
    name: str
    config: str | None
    revision: str | None
    splits: dict[str, Rows]
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """Choices that were made in reading its files, and rows that were left out, in words."""
        tables = [rows for rows in self.splits.values() if isinstance(rows, TableRows)]
        return [*self.remarks, *(note for table in tables for note in table.notes)]


def load_source(
    dataset: str, *, config: str | None, revision: str | None, reading: Reading | None = None
) -> Source:
    """Load the file, the folder or the Hub dataset that `dataset` names, tried in this order.

    Args:
        dataset: What the user names.
        config: Configuration of a dataset that has several.
        revision: Branch, tag or commit at the Hub.
        reading: How files are to be read.

    Raises:
        DataError: It is not found or cannot be read.
    """
    if not dataset.strip():
        raise DataError("--dataset names nothing: give a file, a folder or a Hub id")
    _set_up_libraries()
    reading = reading or Reading()
    source = _load(dataset, config=config, revision=revision, reading=reading)
    named = (reading.text_column, reading.label_column)
    splits = {name: reach_columns(rows, named) for name, rows in source.splits.items()}
    return replace(source, splits=splits)


def _load(dataset: str, *, config: str | None, revision: str | None, reading: Reading) -> Source:
    path = as_path(dataset)
    if dataset == "-" or path.is_fifo() or path.is_char_device():
        raise DataError(f"--dataset {dataset} is a pipe; write it to a file such as data.csv")
    if path.is_symlink() and not path.exists():
        raise DataError(f"{dataset} is a link to {path.readlink()}, which is not there")
    if path.exists():
        if revision is not None:
            raise DataError(f"--revision is for Hub datasets, but {dataset} is a local path")
        return _load_local(path, config=config, reading=reading)
    if _looks_like_path(dataset):
        raise DataError(f"no file or folder {dataset}{_suggest(path)}")
    try:
        commit, splits = load_from_hub(dataset, config=config, revision=revision, reading=reading)
    except DataError as error:
        if not (near := _suggest(path)):
            raise
        raise DataError(f"{error}; no file or folder {dataset!r} is here{near}") from error
    description = f"Hub dataset {dataset} at {commit[:12]}"
    return Source(description, dataset, config, commit, splits)


def _set_up_libraries() -> None:
    """Silence the libraries: errors are raised, and their bars would mix with other output."""
    datasets.config.HF_ENDPOINT = constants.ENDPOINT  # without a slash at its end
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    huggingface_hub.logging.set_verbosity(huggingface_hub.logging.CRITICAL)
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
        huggingface_hub.utils.disable_progress_bars()


def as_path(dataset: str) -> Path:
    """Return the path that a name means; "~" is the home of a user, if there is such a user."""
    try:
        return Path(dataset).expanduser()
    except RuntimeError:  # there is no such user
        return Path(dataset)


def _suggest(path: Path) -> str:
    """Return a question about a file or folder with a similar name; "" where there is none."""
    try:
        names = [found.name for found in path.parent.iterdir()]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"; is {path.parent / near[0]} meant?" if near else ""


def _looks_like_path(dataset: str) -> bool:
    return (
        dataset.startswith((".", "/", "~"))
        or dataset.endswith("/")
        or dataset.count("/") > 1
        or is_table(dataset)
    )


def _load_local(path: Path, *, config: str | None, reading: Reading) -> Source:
    kind = "file" if path.is_file() else "folder"
    remarks: tuple[str, ...] = ()
    try:
        if kind == "file":
            _refuse_config(config, path)
            splits: dict[str, Rows] = {"train": read_file(path, reading=reading)}
        else:
            splits, remarks = _read_folder(path, config=config, reading=reading)
    except DataError:
        raise
    except Exception as error:  # the builders raise whatever their parsers do
        refuse_cache(error)
        raise DataError(f"cannot read {path}: {describe_cause(error)}") from error
    name = path.resolve().name
    return Source(f"local {kind} {path}", name, config, None, splits, remarks)


def _read_folder(
    path: Path, *, config: str | None, reading: Reading
) -> tuple[dict[str, Rows], tuple[str, ...]]:
    """Return the splits of a folder, and how they were found, in words."""
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        _refuse_config(config, path)
        return as_splits(datasets.load_from_disk(str(path))), ()
    classes = read_class_folders(path, reading=reading)
    if classes is not None:
        _refuse_config(config, path)
        return classes, ()
    found = find_split_files(path) if config is None else None
    if found is not None:
        splits = {name: read_files(files, reading=reading) for name, files in found.splits.items()}
        return splits, found.notes
    return _read_declared(path, config=config, reading=reading), ()


def _read_declared(path: Path, *, config: str | None, reading: Reading) -> dict[str, Rows]:
    """Return the splits of a folder that says itself what its files are."""
    # Absolute, because a folder may have the name of a builder.
    folder = str(path.resolve())
    if glob.has_magic(folder):
        raise DataError(f"cannot read {folder}: a folder's path must not hold any of *?[")
    builder = find_builder(folder, config=config, commit=None)
    plain = read_plain_files(builder, reading=reading)
    return as_splits(build_by_content(builder)) if plain is None else plain


def _refuse_config(config: str | None, path: Path) -> None:
    if config is not None:
        raise DataError(f"--dataset-config {config!r}: {path} has no configurations")
