"""Whether a published version can be compared with what is about to be trained."""

from models.versions import Version
from training.data.splits import LabelledData
from training.errors import DataError


def check_comparable(old: Version, data: LabelledData) -> None:
    """Raise DataError if a version has other labels than the data, before anything is trained."""
    known = old.metadata
    if known.task != data.task or set(known.labels) != set(data.labels):
        raise DataError(
            f"--gate: {old.reference} cannot be compared with, because its labels are "
            f"{', '.join(known.labels)} and those of the data {', '.join(data.labels)}"
        )
