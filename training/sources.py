"""Finds a dataset, on disk or at the Hugging Face Hub, and loads its splits."""

import glob
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
import pandas
from datasets import Dataset, DatasetDict
from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError
from datasets.packaged_modules.cache.cache import Cache
from datasets.packaged_modules.csv.csv import CsvConfig
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from pyarrow import parquet

from training.errors import DataError

HUB_TIMEOUT_SECONDS = 12
LONGEST_CAUSE = 300  # characters of another library's message in ours

# Only an empty field is a missing one: "NA", "None" and "null" are words that people write.
_CSV: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}


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
    return _load_hub(dataset, config=config, revision=revision)


def _set_up_libraries() -> None:
    """Silence the libraries, for what goes wrong is raised, and bars are for people to watch."""
    datasets.config.HF_ENDPOINT = constants.ENDPOINT  # which has no slash at its end
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
        or Path(dataset).suffix.lower() in _READERS
    )


def _load_local(path: Path, *, config: str | None) -> Source:
    kind = "file" if path.is_file() else "folder"
    try:
        loaded = _read_file(path, config=config) if kind == "file" else _read_folder(path, config)
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8 ({_cause(error)})") from error
    except Exception as error:  # the builders raise whatever their parsers do
        raise DataError(f"cannot read {path}: {_cause(error)}") from error
    name = path.resolve().name
    return Source(f"local {kind} {path}", name, config, None, _as_splits(loaded))


def _read_file(path: Path, *, config: str | None) -> Dataset:
    if path.suffix.lower() not in _READERS:
        known = ", ".join(_READERS)
        raise DataError(f"{path}: unknown kind of file; known are {known}")
    _refuse_config(config, path)
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    rows = _READERS[path.suffix.lower()](path)
    if len(rows) == 0:
        raise DataError(f"{path} has no rows")
    return rows


def _refuse_config(config: str | None, path: Path) -> None:
    if config is not None:
        raise DataError(f"--config {config!r}: {path} has no configurations")


def _read_csv(path: Path, *, separator: str = ",") -> Dataset:
    """Read a table whose first line names its columns; a column's type is that of all its rows."""
    with warnings.catch_warnings():
        # Else pandas takes the first column for an index where rows are longer than the header.
        warnings.simplefilter("error", pandas.errors.ParserWarning)
        try:
            frame = pandas.read_csv(path, sep=separator, index_col=False, low_memory=False, **_CSV)
        except pandas.errors.ParserWarning as warning:
            raise DataError(f"{path}: rows have more fields than the header has names") from warning
    return Dataset.from_pandas(frame, preserve_index=False)


def _read_json(path: Path) -> Dataset:
    """Read objects, one a line or all in a list."""
    try:
        # The name is taken for a pattern, which would match other files too.
        return datasets.load_dataset(
            "json", data_files={"train": glob.escape(str(path.resolve()))}, split="train"
        )
    except Exception as error:  # says what the last of several parsers did not like
        fault = _find_json_fault(path)
        if fault is None:
            raise
        raise DataError(f"cannot read {path}: {fault}") from error


def _find_json_fault(path: Path) -> str | None:
    """Return what is wrong with a JSON file, and where; None if nothing seems to be."""
    text = path.read_text(encoding="utf-8-sig")
    if not text.strip(" \t\r\n[]"):
        return "it has no rows"
    whole = path.suffix.lower() == ".json" and text.lstrip().startswith("[")
    for number, part in enumerate([text] if whole else text.split("\n"), start=1):
        try:
            value = json.loads(part or "{}")
            json.dumps(value, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            line = number + error.lineno - 1
            return f"line {line}, column {error.colno} is not JSON: {error.msg}"
        except UnicodeEncodeError as error:
            return f"line {number} holds half a character, \\u{ord(error.object[error.start]):x}"
        if not all(isinstance(row, dict) for row in (value if whole else [value])):
            return f'line {number} holds no object such as {{"text": "…", "label": "…"}}'
    return None


def _read_parquet(path: Path) -> Dataset:
    return Dataset(parquet.ParquetFile(path).read())


_READERS: dict[str, Callable[[Path], Dataset]] = {
    ".csv": _read_csv,
    ".tsv": partial(_read_csv, separator="\t"),
    ".json": _read_json,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".parquet": _read_parquet,
}


def _read_folder(path: Path, config: str | None) -> DatasetDict | Dataset:
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        _refuse_config(config, path)
        return datasets.load_from_disk(str(path))
    # Absolute, for a folder may have the name of a builder.
    folder = str(path.resolve())
    if glob.has_magic(folder):
        raise DataError(f"cannot read {folder}: a folder's path must not hold any of *?[")
    return _prepare(_find_builder(folder, config=config, commit=None))


def _load_hub(dataset: str, *, config: str | None, revision: str | None) -> Source:
    """Load a Hub dataset at the commit that the Hub names now, so no stale copy can pass for it."""
    commit = _find_commit(dataset, revision=revision)
    try:
        builder = _find_builder(dataset, config=config, commit=commit)
        if isinstance(builder, Cache):
            raise ConnectionError("the Hub does not answer, and the cached copy may be another")
        loaded = _prepare(builder)
    except DataError:
        raise
    except DatasetNotFoundError as error:  # its commit was found, so only access can be missing
        raise _gated(dataset) from error
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
        raise _gated(dataset) from error
    except RevisionNotFoundError as error:
        raise DataError(f"{dataset} has no revision {revision} at {hub}") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise DataError(
            f"no file or folder {dataset!r} here, and no such dataset at {hub} "
            "(a private one needs HF_TOKEN)"
        ) from error
    except HfHubHTTPError as error:
        raise DataError(f"the Hub at {hub} refuses {dataset}: {_cause(error)}") from error
    except Exception as error:  # whatever the network raises
        raise DataError(
            f"cannot reach the Hub at {hub} ({_cause(error)}); download the dataset elsewhere "
            "and give its folder or file as --dataset"
        ) from error
    if info.sha is None:
        raise DataError(f"{hub} names no commit for {dataset}")
    return info.sha


def _gated(dataset: str) -> DataError:
    return DataError(
        f"{dataset} is gated: accept its terms at {constants.ENDPOINT}/datasets/{dataset}, "
        "then set HF_TOKEN to a token of that account"
    )


def _find_builder(
    dataset: str, *, config: str | None, commit: str | None
) -> datasets.DatasetBuilder:
    """Return what reads the files of a folder or of a Hub dataset."""
    find = partial(datasets.load_dataset_builder, dataset, name=config, revision=commit)
    try:
        builder = find()
    except ValueError as error:
        names = datasets.get_dataset_config_names(dataset, revision=commit)
        if config in names or (config is None and len(names) == 1):
            raise
        problem = (
            "has several configurations; name one with --config:"
            if config is None
            else f"has no configuration {config!r}; there are:"
        )
        raise DataError(f"{dataset} {problem} {', '.join(names)}") from error
    return find(**_CSV) if isinstance(builder.config, CsvConfig) else builder


def _prepare(builder: datasets.DatasetBuilder) -> DatasetDict:
    builder.download_and_prepare()
    return builder.as_dataset()


def _as_splits(loaded: DatasetDict | Dataset) -> dict[str, Dataset]:
    if isinstance(loaded, Dataset):
        return {"train": loaded}
    return {str(name): split for name, split in loaded.items()}


def _cause(error: BaseException) -> str:
    """Return the message of an error, or of its cause where it says nothing itself, as one line."""
    if isinstance(error, DatasetGenerationError) and error.__cause__ is not None:
        return _cause(error.__cause__)
    message = " ".join(str(error).split()) or type(error).__name__
    message = message.partition("on the Hugging Face Hub either: ")[2] or message
    message = message.partition(" For more information check: ")[0]
    return message if len(message) <= LONGEST_CAUSE else message[: LONGEST_CAUSE - 1] + "…"
