"""Errors of training that the user can put right. Each is shown as one line; the exit status is 2.

GatewiseError
└── TrainingError
    ├── DataError        the dataset cannot be found, read or used
    └── ExportError      the exported version does not answer as the trained network does
"""

from models.errors import GatewiseError

LONGEST_CAUSE = 300  # characters of another library's message in ours


class TrainingError(GatewiseError):
    """Training cannot go on; nothing has been published."""


class DataError(TrainingError):
    """The dataset cannot be found, read or used as it is."""


class ExportError(TrainingError):
    """The exported version is not a faithful copy of the network."""


def describe_cause(error: BaseException) -> str:
    """Return the message of an error, or of its cause where it says nothing itself, as one line."""
    if type(error).__name__ == "DatasetGenerationError" and error.__cause__ is not None:
        return describe_cause(error.__cause__)
    message = " ".join(str(error).split()) or type(error).__name__
    message = message.partition("on the Hugging Face Hub either: ")[2] or message
    message = message.partition(" For more information check: ")[0]
    return message if len(message) <= LONGEST_CAUSE else message[: LONGEST_CAUSE - 1] + "…"
