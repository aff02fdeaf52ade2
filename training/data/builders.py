"""Loads datasets of many files, on disk or at the Hub, by the builders of `datasets`."""

from functools import partial

import datasets
from datasets import DatasetDict
from datasets.exceptions import DatasetGenerationError
from datasets.packaged_modules.csv.csv import CsvConfig

from training.data.files import CSV_OPTIONS
from training.errors import DataError

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
            "has several configurations; name one with --config:"
            if config is None
            else f"has no configuration {config!r}; there are:"
        )
        raise DataError(f"{dataset} {problem} {', '.join(names)}") from error
    return find(**CSV_OPTIONS) if isinstance(builder.config, CsvConfig) else builder


def build(builder: datasets.DatasetBuilder) -> DatasetDict:
    """Return the splits; download and convert them unless they are in the cache."""
    builder.download_and_prepare()
    return builder.as_dataset()


def describe_cause(error: BaseException) -> str:
    """Return the message of an error as one line, or that of its cause if it has none."""
    if isinstance(error, DatasetGenerationError) and error.__cause__ is not None:
        return describe_cause(error.__cause__)
    message = " ".join(str(error).split()) or type(error).__name__
    message = message.partition("on the Hugging Face Hub either: ")[2] or message
    message = message.partition(" For more information check: ")[0]
    return message if len(message) <= LONGEST_CAUSE else message[: LONGEST_CAUSE - 1] + "…"
