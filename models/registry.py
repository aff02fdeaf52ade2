"""The store: a folder `<root>/<name>/<version>/` for each exported version.

A version appears whole or not at all, and never changes afterwards.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.atomic import sync, sync_tree
from models.errors import ModelNotFound
from models.metadata import FileRecord, Metadata
from models.names import is_name
from models.versions import METADATA, Version

_STAGING_PREFIX = ".staging-"
_VERSION_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


class Store:
    """All versions below one folder.

    Args:
        root: The folder; the first publication makes it if needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Return the names of all models that have a version, sorted."""
        if not self.root.is_dir():
            return []
        folders = (entry for entry in self.root.iterdir() if is_name(entry.name))
        return sorted(entry.name for entry in folders if _version_folders(entry))

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, oldest first; none for an unknown model."""
        return [Version(folder) for folder in _version_folders(self.root / name)]

    def resolve(self, reference: str) -> Version:
        """Return the version that `name` (its newest) or `name:version` refers to.

        Raises:
            ModelNotFound: Lists the existing models or versions.
        """
        name, _, number = reference.partition(":")
        versions = self.versions(name) if name in self.names() else []
        if not versions:
            there_are = ", ".join(self.names()) or "none"
            raise ModelNotFound(f"no model {name!r} in {self.root}; there are: {there_are}")
        if not number:
            return versions[-1]
        for version in versions:
            if version.path.name == number:
                return version
        there_are = ", ".join(version.path.name for version in versions)
        raise ModelNotFound(f"model {name!r} has no version {number!r}; there are: {there_are}")

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """Yield an empty folder to build a version of `name` in, then `publish` it.

        It is on the disk of the store, invisible to readers, and deleted on exit.
        """
        parent = self.root / name
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _remove_if_empty(parent)

    def publish(self, staging: Path, *, metadata: Metadata) -> Version:
        """Make the content of `staging` the newest version of `metadata.name`.

        Fills in version number and file records of `metadata`. Several processes may publish at the
        same time; a number that is taken meanwhile is skipped.
        """
        files = _file_records(staging)
        parent = self.root / metadata.name
        number = max((version.number for version in self.versions(metadata.name)), default=0)
        while True:
            number += 1
            stamped = metadata.model_copy(update={"version": number, "files": files})
            stamped.save(staging / METADATA)
            _make_readable(staging)
            sync_tree(staging)
            try:
                # A rename onto a folder with files fails, so no version is overwritten.
                target = staging.rename(parent / str(stamped.version))
            except OSError:
                if (parent / str(stamped.version)).exists():
                    continue
                raise
            sync(parent)
            return Version(target)

    def prune(self, name: str, *, keep: int) -> list[int]:
        """Delete all but the newest `keep` versions of a model; return the deleted numbers.

        Raises:
            ModelNotFound: The model is unknown.
        """
        if keep < 1:
            raise ValueError(f"keep must be at least 1, received {keep}")
        self.resolve(name)
        doomed = self.versions(name)[:-keep]
        for version in doomed:
            # The rename comes first, so that no reader sees a version with half its files.
            trash = version.path.with_name(f"{_STAGING_PREFIX}pruned-{version.path.name}")
            version.path.rename(trash)
            shutil.rmtree(trash)
        return [version.number for version in doomed]


def _version_folders(parent: Path) -> list[Path]:
    try:
        numbered = [entry for entry in parent.iterdir() if _VERSION_NUMBER.fullmatch(entry.name)]
    except OSError:  # not a folder, deleted meanwhile, or not readable
        return []
    return sorted((entry for entry in numbered if entry.is_dir()), key=lambda e: int(e.name))


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # it has versions
        return


def _file_records(folder: Path) -> dict[str, FileRecord]:
    """Return a record of each file in the folder except the metadata, which holds the records."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    names.pop(METADATA, None)
    return {name: FileRecord.of(path) for name, path in names.items()}


def _make_readable(folder: Path) -> None:
    """Let all users read, because service and trainer may run as different users."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
