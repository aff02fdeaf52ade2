"""Errors of the contract.

GatewiseError
├── StoreNotFound        the store is not there, or is no folder that can be read
├── ModelNotFound        no such model or version in the store
├── VersionCorrupt       a version's files are not what its metadata says
├── FormatTooNew         written by a newer Gatewise
├── CannotSteer          the labels of a model cannot be changed in this way
└── RemoteError          a version cannot be pushed to a remote place, or pulled from it
    ├── RemoteSilent     the place does not answer, or not now
    ├── RemoteRefusal    it refuses, or does not have what is asked for
    └── ExtraMissing     the library that speaks to it is not installed
"""


class GatewiseError(Exception):
    """A fault that the user can correct; its message says what and where."""


class StoreNotFound(GatewiseError):
    """The store is not there, or is no folder that can be read."""


class ModelNotFound(GatewiseError):
    """The store has no such model or version."""


class VersionCorrupt(GatewiseError):
    """A version contradicts its metadata by its files, or its golden predictions by its answers."""

    @classmethod
    def mismatch(cls, where: object, *, expected: object, found: object) -> "VersionCorrupt":
        """Return an error with the place, the expected and the found value."""
        return cls(f"{where}: expected {expected}, found {found}")


class FormatTooNew(GatewiseError):
    """A file's `format_version` is newer than this release reads."""

    @classmethod
    def of(cls, where: object, *, supported: int, found: int) -> "FormatTooNew":
        """Return an error with the file and both format versions."""
        return cls(f"{where}: format_version {found} is newer than {supported}; upgrade Gatewise")


class CannotSteer(GatewiseError):
    """The labels cannot be changed in this way; the message says why, and what can be done."""


class RemoteError(GatewiseError):
    """A version cannot be pushed to a remote place, or pulled from it."""


class RemoteSilent(RemoteError):
    """The place does not answer, or not now; the same command may succeed later."""


class RemoteRefusal(RemoteError):
    """The place refuses, or does not have what is asked for."""


class ExtraMissing(RemoteError):
    """The library that speaks to the place is not installed; the message says how to get it."""
