"""Loads datasets of many files, on disk or at the Hub, by the builders of `datasets`."""

from functools import partial

import datasets
from datasets import DatasetDict
from datasets.packaged_modules.csv.csv import CsvConfig

from training.errors import DataError
from training.files import CSV_OPTIONS


def find_builder(
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
    return find(**CSV_OPTIONS) if isinstance(builder.config, CsvConfig) else builder


def build(builder: datasets.DatasetBuilder) -> DatasetDict:
    """Return the splits, downloaded and converted if they are not in the cache already."""
    builder.download_and_prepare()
    return builder.as_dataset()
