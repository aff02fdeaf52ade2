"""Pulls a version from a remote place into a store: whole and checked, or not at all.

The place is not trusted. Its metadata file is read first, and everything in it is checked before a
file is written. Each file then has to have the size and the hash that stand there.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.errors import FormatTooNew, GatewiseError, RemoteRefusal, VersionCorrupt
from models.limits import LARGEST_METADATA
from models.metadata import Metadata
from models.names import check_name
from models.registry import Store
from models.regular_files import find_inside
from models.remotes.address import Address
from models.remotes.fetching import Fetch
from models.remotes.manifest import is_same, read_manifest, restamp
from models.remotes.place import Found, Missing, Observer, Place
from models.versions import DIGEST, METADATA, Version, check_size

_LONGEST_DIGEST = 200  # bytes of its file
_SPARE_BYTES = 1 << 20  # of the disk, for folders and metadata
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Busy(GatewiseError):
    """Another process pulls the same version, and does not come to an end."""


@dataclass(frozen=True)
class Pulled:
    """A version that a store has now.

    Args:
        version: The version.
        source: Address of exactly what was asked for.
        sha256: Hash of its metadata file there, which names all others.
        fresh: Whether it was not there before.
    """

    version: Version
    source: str
    sha256: str
    fresh: bool


@dataclass(frozen=True)
class _Arrival:
    """A version that is to be pulled: where from, and what its metadata file says."""

    found: Found
    manifest: bytes
    metadata: Metadata

    @property
    def where(self) -> str:
        return self.found.where

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.manifest).hexdigest()


def pull(
    store: Store, address: Address, *, place: Place, observer: Observer, name: str | None = None
) -> Pulled:
    """Pull a version, unless the store has it under any number.

    It keeps its number if that is free, and is the newest one otherwise. What has arrived stays for
    the next try when the place falls silent or the process is killed.

    Args:
        store: The store; it is made if needed.
        address: Address of the version.
        place: The place of that address.
        observer: Is told how it comes on.
        name: Name of the model in the store; its own if absent.

    Raises:
        RemoteError: The place does not answer, refuses, or has no such version.
        VersionCorrupt: What came is not what it should be. Nothing of it is left.
        FormatTooNew: A newer release wrote it.
        Busy: Another process has been pulling the same version for an hour.
        OSError: The disk is full, and nothing is left on it; or the store cannot be written.
        ValueError: The name is not valid.
    """
    arrival = _look(address, place=place)
    name = check_name(name) if name else arrival.metadata.name
    if present := _find_same(store, name, arrival, say=observer.say):
        return Pulled(present, arrival.where, arrival.sha256, fresh=False)
    key = f"pull-{arrival.sha256[:24]}"
    busy = Busy(f"another process has been pulling {arrival.where} for an hour; see what it does")
    with store.resuming(name, key=key, busy=busy, wait=observer.say) as folder:
        # Whoever held the folder before may have pulled it.
        if present := _find_same(store, name, arrival):
            folder.rmdir()
            return Pulled(present, arrival.where, arrival.sha256, fresh=False)
        with _left_clean(folder, arrival):
            _fetch(arrival, folder, observer=observer)
            _check_content(arrival, folder)
            version = _adopt(store, name, arrival, folder)
    return Pulled(version, arrival.where, arrival.sha256, fresh=True)


def _look(address: Address, *, place: Place) -> _Arrival:
    """Return what is to be pulled, once all that can be known of it is checked."""
    found = place.find(address.which)
    try:
        content = found.read(METADATA, limit=LARGEST_METADATA)
    except Missing as error:
        raise RemoteRefusal(f"{found.where}: it is no version of Gatewise ({error})") from error
    sha256 = hashlib.sha256(content).hexdigest()
    if (expected := address.sha256 or _read_digest(found) or sha256) != sha256:
        raise VersionCorrupt.mismatch(
            f"{found.where}: {METADATA}", expected=f"sha256 {expected}", found=sha256
        )
    return _Arrival(found, content, read_manifest(content, where=found.where))


def _read_digest(found: Found) -> str | None:
    """Return the hash that lies beside the manifest; None where it was copied without."""
    try:
        return found.read(DIGEST, limit=_LONGEST_DIGEST).decode("ascii", "replace")[:64]
    except RemoteRefusal:
        return None


def _find_same(
    store: Store, name: str, arrival: _Arrival, *, say: Callable[[str], object] = lambda _: None
) -> Version | None:
    """Return the version in the store that is the same but for its name and number.

    One that is damaged does not count; `say` takes a line about it.
    """
    for version in reversed(store.versions(name)):
        try:
            if is_same(version.metadata, arrival.metadata):
                version.verify()
                return version
        except GatewiseError as error:
            say(f"{version.reference} is damaged here, and left as it is: {error}")
    return None


@contextmanager
def _left_clean(folder: Path, arrival: _Arrival) -> Iterator[None]:
    """Delete what has arrived if it is of no use, or takes the place that a full disk lacks."""
    try:
        yield
    except (VersionCorrupt, FormatTooNew):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        if error.errno not in _FULL:
            raise
        shutil.rmtree(folder, ignore_errors=True)
        line = f"no space for {arrival.where} ({error.strerror}); nothing of it is left here"
        raise OSError(error.errno, line, str(folder.parent)) from error


def _fetch(arrival: _Arrival, folder: Path, *, observer: Observer) -> None:
    files = arrival.metadata.files
    _drop_others(folder, {*files, METADATA})
    size = check_size(arrival.metadata, where=arrival.where)
    if (free := _free_bytes(folder)) < size + _SPARE_BYTES:
        raise OSError(errno.ENOSPC, f"{size:,} bytes to come, {free:,} are free")
    observer.begin(arrival.where, size=size)
    for name, record in sorted(files.items()):
        os.utime(folder)  # it is not abandoned
        path = find_inside(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Fetch(arrival.found, name, record, path, observer).run()


def _free_bytes(folder: Path) -> int:
    """Return how many bytes fit on the disk, with those that have arrived already."""
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return shutil.disk_usage(folder).free + there


def _drop_others(folder: Path, names: set[str]) -> None:
    """Delete what does not belong into the folder."""
    for path in folder.rglob("*"):
        listed = path.relative_to(folder).as_posix() in names
        if path.is_symlink() or (not path.is_dir() and not listed):
            path.unlink()


def _check_content(arrival: _Arrival, folder: Path) -> None:
    """Check what is checked of every version, except predictions."""
    find_inside(folder, METADATA).write_bytes(arrival.manifest)
    try:
        Version(folder).verify_content()
    except VersionCorrupt as error:
        told = str(error).replace(f"{folder}/", "").replace(str(folder), "the version")
        raise VersionCorrupt(f"{arrival.where}: {told}") from error


def _adopt(store: Store, name: str, arrival: _Arrival, folder: Path) -> Version:
    def stamp(number: int) -> None:
        content = restamp(arrival.manifest, name=name, number=number)
        find_inside(folder, METADATA).write_bytes(content)

    return store.adopt(folder, name=name, stamp=stamp, number=arrival.metadata.version)
