"""Errors of training that the user can correct. Each is shown as one line; the exit status is 2.

A disk that takes no more is no fault of the command: its exit status is 1.

GatewiseError
└── TrainingError
    ├── DataError        the dataset cannot be found, read or used
    ├── Diverged         the loss is no longer a number
    ├── ExportError      the exported version does not answer as the trained network does
    └── CannotWrite      a disk is full, or takes no files
"""

from models.errors import GatewiseError


class TrainingError(GatewiseError):
    """Training cannot continue; nothing has been published."""


class DataError(TrainingError):
    """The dataset cannot be found, read or used as it is."""


class Diverged(TrainingError):
    """The loss is no longer a number."""


class ExportError(TrainingError):
    """The exported version is not a faithful copy of the network."""


class CannotWrite(TrainingError):
    """A disk is full, or takes no files; the same command works once that is mended."""
