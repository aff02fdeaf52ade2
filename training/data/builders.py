"""Loads datasets of many files, on disk or at the Hub, by the builders of `datasets`."""

import errno
import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import datasets
from datasets import Dataset, DatasetDict
from datasets.exceptions import DatasetGenerationError
from datasets.packaged_modules.csv.csv import CsvConfig
from huggingface_hub import constants

from models.tables.decoding import digest_of
from models.tables.foreign import refuse_foreign
from models.tables.kinds import find_kind, is_table
from training.data.rows import Rows
from training.errors import DataError

# Only an empty field is missing: "NA", "None" and "null" are ordinary words in texts.
CSV_OPTIONS: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}

_UNWRITABLE = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOSPC, errno.ENOTDIR, errno.EDQUOT)
LONGEST_CAUSE = 300  # characters of another library's message in an error


def find_builder(
    dataset: str, *, config: str | None, commit: str | None
) -> datasets.DatasetBuilder:
    """Return the builder that reads the files of a folder or of a Hub dataset."""
    find = partial(datasets.load_dataset_builder, dataset, name=config, revision=commit)
    try:
        builder = find()
    except ValueError as error:
        names = datasets.get_dataset_config_names(dataset, revision=commit)
        if config in names or (config is None and len(names) == 1):
            raise
        problem = (
            "has several configurations; name one with --dataset-config:"
            if config is None
            else f"has no configuration {config!r}; there are:"
        )
        raise DataError(f"{dataset} {problem} {', '.join(names)}") from error
    return find(**CSV_OPTIONS) if isinstance(builder.config, CsvConfig) else builder


def build(builder: datasets.DatasetBuilder) -> DatasetDict:
    """Return the splits; download and convert them unless they are in the cache."""
    builder.download_and_prepare()
    return builder.as_dataset()


def build_by_content(builder: datasets.DatasetBuilder) -> DatasetDict:
    """Return the splits of local files; what is cached of them is found by their content.

    The builders' own cache tells files apart by path and time, and a copy may keep its time.
    """
    digest = hashlib.sha256()
    for files in (builder.config.data_files or {}).values():
        for file in files:
            if is_table(file):
                refuse_foreign(Path(file), kind=find_kind(Path(file)).name)
            digest.update(digest_of(Path(file)).encode())
    cache = Path(builder._cache_dir_root) / "by-content" / digest.hexdigest()[:32]
    builder.download_and_prepare(str(cache))
    return builder.as_dataset()


def as_splits(loaded: DatasetDict | Dataset) -> dict[str, Rows]:
    """Return the rows by split."""
    if isinstance(loaded, Dataset):
        return {"train": loaded}
    return {str(name): split for name, split in loaded.items()}


def refuse_cache(error: BaseException) -> None:
    """Raise DataError if an error comes from a cache that cannot be written."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _UNWRITABLE and _is_cache(cause.filename):
            raise DataError(
                f"cannot keep converted data in {datasets.config.HF_DATASETS_CACHE} "
                f"({cause.strerror}); set HF_HOME to a folder that can be written"
            ) from error
        cause = cause.__cause__ or cause.__context__


def _is_cache(file: object) -> bool:
    """Whether a file is one of a cache; None is a file that an error does not name."""
    caches = (datasets.config.HF_DATASETS_CACHE, constants.HF_HOME)
    return file is None or any(Path(str(file)).is_relative_to(cache) for cache in caches)


def describe_cause(error: BaseException) -> str:
    """Return the message of an error as one line, or that of its cause if it has none."""
    if isinstance(error, DatasetGenerationError) and error.__cause__ is not None:
        return describe_cause(error.__cause__)
    message = " ".join(str(error).split()) or type(error).__name__
    message = message.partition("on the Hugging Face Hub either: ")[2] or message
    message = message.partition(" For more information check: ")[0]
    return message if len(message) <= LONGEST_CAUSE else message[: LONGEST_CAUSE - 1] + "…"
