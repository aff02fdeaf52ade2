"""Errors that the contract raises.

GatewiseError
├── ModelNotFound        no such model or version in the store
├── VersionCorrupt       a version's files are not what its metadata says
└── FormatTooNew         written by a newer Gatewise
"""


class GatewiseError(Exception):
    """Something the user can put right; its message says what and where."""


class ModelNotFound(GatewiseError):
    """The store has no such model or version."""


class VersionCorrupt(GatewiseError):
    """A version's files contradict its metadata, or its answers its golden predictions."""

    @classmethod
    def mismatch(cls, where: object, *, expected: object, found: object) -> "VersionCorrupt":
        """Return an error that names the place, what belongs there and what is there."""
        return cls(f"{where}: expected {expected}, found {found}")


class FormatTooNew(GatewiseError):
    """A file's `format_version` is newer than this release reads."""

    @classmethod
    def of(cls, where: object, *, supported: int, found: int) -> "FormatTooNew":
        """Return an error that names the file and both format versions."""
        return cls(f"{where}: format_version {found} is newer than {supported}; upgrade Gatewise")
