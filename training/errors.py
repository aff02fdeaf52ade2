"""Errors of training that the user can correct. Each is shown as one line; the exit status is 2.

A disk that takes no more is no fault of the command: its exit status is 1. A version that the gate
refuses is none either: its exit status is 3, so that a nightly job can tell.

GatewiseError
└── TrainingError
    ├── DataError        the dataset cannot be found, read or used
    ├── Diverged         the loss is no longer a number
    ├── ExportError      the exported version does not answer as the trained network does
    ├── CannotWrite      a disk is full, or takes no files
    └── GateRefused      the new version is worse than the one that answers; status 3
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


class GateRefused(TrainingError):
    """The new version is worse than the one that answers today; it was put aside."""
