"""Loads a dataset from the Hugging Face Hub, pinned to a commit."""

from datasets.exceptions import DatasetNotFoundError
from datasets.packaged_modules.cache.cache import Cache
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from training.data.builders import as_splits, build, describe_cause, find_builder, refuse_cache
from training.data.folders import read_plain_csv
from training.data.rows import Rows
from training.errors import DataError
from training.reading import Reading

HUB_TIMEOUT_SECONDS = 12


def load_from_hub(
    dataset: str, *, config: str | None, revision: str | None, reading: Reading
) -> tuple[str, dict[str, Rows]]:
    """Return the commit that `revision` names at the Hub now, and its splits.

    Raises:
        DataError: The Hub cannot be reached, has no such dataset, or refuses this account.
    """
    commit = _find_commit(dataset, revision=revision)
    try:
        builder = find_builder(dataset, config=config, commit=commit)
        if isinstance(builder, Cache):
            raise ConnectionError("the Hub does not answer, and the cached copy may be another")
        loaded = read_plain_csv(builder, reading=reading) or as_splits(build(builder))
    except DataError:
        raise
    except DatasetNotFoundError as error:  # its commit was found; only access can be missing
        raise _gated(dataset) from error
    except Exception as error:  # builders and the network raise anything
        refuse_cache(error)
        raise DataError(f"cannot load {dataset} at {commit}: {describe_cause(error)}") from error
    return commit, loaded


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
        raise DataError(f"the Hub at {hub} refuses {dataset}: {describe_cause(error)}") from error
    except Exception as error:  # the network raises anything
        raise DataError(
            f"cannot reach the Hub at {hub} ({describe_cause(error)}); download the dataset "
            "elsewhere and give its folder or file as --dataset"
        ) from error
    if info.sha is None:
        raise DataError(f"{hub} names no commit for {dataset}")
    return info.sha


def _gated(dataset: str) -> DataError:
    return DataError(
        f"{dataset} is gated: accept its terms at {constants.ENDPOINT}/datasets/{dataset}, "
        "then set HF_TOKEN to a token of that account"
    )
