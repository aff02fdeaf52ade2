"""The store: a folder `<root>/<name>/<version>/` for each exported version.

A version appears whole or not at all, and never changes afterwards.
"""

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from models.atomic import make_folder, sync, sync_tree
from models.errors import CannotSteer, GatewiseError, ModelNotFound, StoreNotFound
from models.locks import claim, is_claimed, lock
from models.metadata import FileRecord, Metadata
from models.names import VERSION_NUMBER, is_name, suggest
from models.version_labels import STABLE, VersionLabels
from models.versions import METADATA, Version

_STAGING_PREFIX = ".staging-"
_FOLDER_MODE = 0o755  # whatever the umask is
LONGEST_WAIT = 3_600.0  # seconds, for another process that makes the same version
LABELS_LOCK = ".labels.lock"
PATIENCE = 10.0  # seconds, for another process that changes the labels
ABANDONED_SECONDS = 3_600.0  # a disk that several hosts share may not show their claims

STORE = Path("models/store")
"""Where versions are if nobody says where."""


class Store:
    """All versions below one folder.

    Args:
        root: The folder; the first publication makes it if needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def check(self) -> None:
        """Raise StoreNotFound unless the store is a folder that can be read."""
        if fault := _find_fault(self.root):
            raise StoreNotFound(f"the store {self.root.absolute()} {fault}")

    def describe(self) -> str:
        """Return which models there are, and what may keep others from being found."""
        names = self.names()
        there_are = f"there are: {', '.join(names)}" if names else "there is no model in it"
        if not names and (_version_folders(self.root) or (self.root / METADATA).exists()):
            return f"{there_are}: it is a part of a store, so give a folder above it"
        if closed := self.closed():
            there_are += f"; user {os.getuid()} cannot read: {', '.join(closed)}"
        return there_are

    def closed(self) -> list[str]:
        """Return the names of what may be models that this user cannot read, sorted."""
        names = [name for name in _names_in(self.root) if is_name(name)]
        return sorted(n for n in names if not os.access(self.root / n, os.R_OK | os.X_OK))

    def names(self) -> list[str]:
        """Return the names of all models that have a version, sorted."""
        if not self.root.is_dir():
            return []
        folders = (entry for entry in self.root.iterdir() if is_name(entry.name))
        return sorted(entry.name for entry in folders if _version_folders(entry))

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, oldest first; none for an unknown model."""
        return [Version(folder) for folder in _version_folders(self.root / name)]

    def labels(self, name: str) -> VersionLabels:
        """Return the labels of a model's versions; none for an unknown model.

        Raises:
            VersionCorrupt: Their file is damaged.
            FormatTooNew: A newer release wrote it.
        """
        return VersionLabels.load(self.root / name)

    @contextmanager
    def changing(self, name: str) -> Iterator[None]:
        """Be the only one who moves labels of a model or deletes versions of it, while entered.

        Raises:
            ModelNotFound: The model is unknown.
            CannotSteer: Another process is at it.
        """
        self.require(name)
        busy = CannotSteer(f"another process is changing the labels of {name}; try again")
        with lock(self.root / name / LABELS_LOCK, busy=busy, patience=PATIENCE):
            yield

    def require(self, name: str) -> list[Version]:
        """Return the versions of a model, oldest first: one at least.

        Raises:
            ModelNotFound: Lists the existing models.
        """
        names = self.names()
        versions = self.versions(name) if name in names else []
        if not versions:
            there_are = ", ".join(names) or "none"
            raise ModelNotFound(
                f"no model {name!r} in {self.root}; there are: {there_are}"
                + suggest(name, among=names)
            )
        return versions

    def resolve(self, reference: str) -> Version:
        """Return the version that a reference means.

        `name` alone is the stable version, or the newest one of a model without labels.

        Args:
            reference: `name`, `name:version` or `name:label`.

        Raises:
            ModelNotFound: Lists the existing models, or versions and labels.
            VersionCorrupt: The file of the labels is damaged.
        """
        name, _, which = reference.partition(":")
        versions = self.require(name)
        labels = {} if which.isdecimal() else self.labels(name).versions
        wanted = which or (STABLE if STABLE in labels else versions[-1].path.name)
        number = str(labels.get(wanted, wanted))
        for version in versions:
            if version.path.name == number:
                return version
        there_are = ", ".join([*(version.path.name for version in versions), *labels])
        labelled = f" ({wanted})" if wanted in labels else ""
        raise ModelNotFound(
            f"model {name!r} has no version {number!r}{labelled}; there are: {there_are}"
        )

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """Yield an empty folder to build a version of `name` in, then `publish` it.

        It is on the disk of the store, invisible to readers, and deleted on exit. What a process
        that was killed has left is deleted first.
        """
        parent = self._make_parent(name)
        _remove_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=parent))
        try:
            with claim(folder):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _remove_if_empty(parent)

    def _make_parent(self, name: str) -> Path:
        parent = self.root / name
        make_folder(parent, mode=_FOLDER_MODE)
        return parent

    def publish(self, staging: Path, *, metadata: Metadata) -> Version:
        """Make the content of `staging` the newest version of `metadata.name`.

        Fills in version number and file records of `metadata`. Several processes may publish at the
        same time; a number that is taken meanwhile is skipped.
        """
        files = _file_records(staging)

        def stamp(number: int) -> None:
            stamped = metadata.model_copy(update={"version": number, "files": files})
            stamped.save(staging / METADATA)

        return self.adopt(staging, name=metadata.name, stamp=stamp)

    @contextmanager
    def resuming(
        self, name: str, *, key: str, busy: GatewiseError, wait: Callable[[str], object]
    ) -> Iterator[Path]:
        """Yield a folder as `staging` does, but one that stays for the next try if it is left.

        One process at a time has it; another waits. Once nobody has touched it for an hour, it may
        be deleted as what killed processes have left.

        Args:
            name: The model.
            key: What is to be in the folder; the same key finds the same folder.
            busy: The error if another process has it for an hour.
            wait: Takes a line before this process waits.
        """
        parent = self._make_parent(name)
        folder = parent / f"{_STAGING_PREFIX}{key}"
        try:
            with ExitStack() as stack:
                place = parent / f".{key}.lock"
                try:
                    stack.enter_context(lock(place, busy=busy))
                except type(busy):
                    wait(f"another process works on the same version of {name}; waiting for it")
                    stack.enter_context(lock(place, busy=busy, patience=LONGEST_WAIT))
                folder.mkdir(exist_ok=True)
                with claim(folder):
                    _remove_abandoned(parent)
                    yield folder
        finally:
            _remove_if_empty(parent)

    def adopt(
        self, staging: Path, *, name: str, stamp: Callable[[int], None], number: int | None = None
    ) -> Version:
        """Make the content of `staging` a version of `name`, whole and on disk when it appears.

        Args:
            staging: The folder.
            name: The model.
            stamp: Writes the metadata for a number into the folder.
            number: Number of the version if it is free; else, and if absent, it gets the next one.
        """
        parent = self.root / name
        for wanted in self._numbers(name, first=number):
            stamp(wanted)
            _make_readable(staging)
            sync_tree(staging)
            try:
                # A rename onto a folder with files fails, so no version is overwritten.
                target = staging.rename(parent / str(wanted))
            except OSError:
                if (parent / str(wanted)).exists():
                    continue
                raise
            sync(parent)
            return Version(target)
        raise AssertionError("there are always further numbers")

    def _numbers(self, name: str, *, first: int | None) -> Iterator[int]:
        """Yield `first` if it is free, then the numbers after all that are not.

        A deleted version keeps its number while the labels know it: a rollback would take another
        version for it.
        """
        taken = {version.number for version in self.versions(name)}
        try:
            taken |= self.labels(name).mentioned
        except GatewiseError:  # a damaged file must not cost a training its result
            first = None
        if first is not None and first not in taken:
            yield first
        yield from itertools.count(max(taken, default=0) + 1)

    def prune(self, name: str, *, keep: int) -> list[int]:
        """Delete all but the newest `keep` versions of a model; return the deleted numbers.

        Versions with a label stay, and the one that `stable` had before.

        Raises:
            ModelNotFound: The model is unknown.
            CannotSteer: Another process is changing the labels.
            VersionCorrupt: The file of the labels is damaged.
        """
        if keep < 1:
            raise ValueError(f"keep must be at least 1, received {keep}")
        with self.changing(name):
            versions, labels = self.require(name), self.labels(name)
            _remove_abandoned(self.root / name)
            kept = {*labels.versions.values(), *(e.version for e in labels.history(STABLE)[-2:])}
            doomed = [version for version in versions[:-keep] if version.number not in kept]
            trash = [_set_aside(version) for version in doomed]
        for folder in trash:
            shutil.rmtree(folder, ignore_errors=True)  # the next one deletes what this one leaves
        return [version.number for version in doomed]


def _find_fault(folder: Path) -> str | None:
    """Return why a folder cannot be read as a store, and what is near; None if it can be."""
    if folder.is_symlink() and not folder.exists():
        return f"is a link to {os.readlink(folder)}, which is not there"
    if not folder.exists():
        return "is not there" + suggest(folder.name, among=_names_in(folder.parent))
    if not folder.is_dir():
        return "is a file; give the folder of the versions"
    if not os.access(folder, os.R_OK | os.X_OK):
        return f"cannot be read by user {os.getuid()}"
    return None


def _names_in(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []


def _version_folders(parent: Path) -> list[Path]:
    try:
        numbered = [entry for entry in parent.iterdir() if VERSION_NUMBER.fullmatch(entry.name)]
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []  # on any other fault of the disk nobody knows what there is
    return sorted((entry for entry in numbered if entry.is_dir()), key=lambda e: int(e.name))


def _remove_abandoned(parent: Path) -> None:
    """Delete what writers that are no more have left; one that has just begun is left alone."""
    for entry in parent.glob(f"{_STAGING_PREFIX}*"):
        try:
            if time.time() - entry.stat().st_ctime > ABANDONED_SECONDS and not is_claimed(entry):
                shutil.rmtree(entry, ignore_errors=True)
        except OSError:  # another has deleted it, or it is not ours
            continue


def _set_aside(version: Version) -> Path:
    """Move a version out of sight and return the new folder around it.

    So no reader sees a version with half its files.
    """
    folder = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=version.path.parent))
    version.path.rename(folder / version.path.name)
    return folder


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
    folder.chmod(_FOLDER_MODE)
    for path in folder.rglob("*"):
        path.chmod(_FOLDER_MODE if path.is_dir() else 0o644)
