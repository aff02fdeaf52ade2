"""The store: a folder `<root>/<name>/<version>/` for each exported version.

A version appears whole or not at all, and never changes once it is there.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelNotFound, VersionCorrupt
from models.golden import Golden
from models.metadata import NAME_PATTERN, FileRecord, Metadata, WeightRecord
from models.tokenizer import Tokenizer

EXTRA = "assets.extra"
METADATA = f"{EXTRA}/metadata.json"
TOKENIZER = f"{EXTRA}/tokenizer.json"
GOLDEN = f"{EXTRA}/golden.json"
CARD = f"{EXTRA}/README.md"
REPORT = f"{EXTRA}/report"
SAVED_MODEL = "saved_model.pb"
ONNX = "model.onnx"
REQUIRED = (SAVED_MODEL, TOKENIZER, GOLDEN)
WEIGHTS = "variables/variables.data-00000-of-00001"

_STAGING_PREFIX = ".staging-"
_NAME = re.compile(NAME_PATTERN)
_VERSION_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class Version:
    """One version on disk. Its parts are read when they are asked for."""

    path: Path

    @property
    def number(self) -> int:
        """The version's number, its folder's name."""
        return int(self.path.name)

    @property
    def reference(self) -> str:
        """What `Store.resolve` finds it by: name:number."""
        return f"{self.path.parent.name}:{self.path.name}"

    @cached_property
    def metadata(self) -> Metadata:
        """The metadata; raises FormatTooNew or VersionCorrupt."""
        return Metadata.load(self.path / METADATA)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer; raises FormatTooNew or VersionCorrupt."""
        return Tokenizer.load(self.path / TOKENIZER)

    @cached_property
    def golden(self) -> Golden:
        """The golden predictions; raises VersionCorrupt."""
        return Golden.load(self.path / GOLDEN)

    def weight(self, name: str) -> NDArray[np.generic]:
        """Return one of the weights that the metadata names, mapped from its file."""
        return read_weight(self.path, self.metadata.weights[name])

    def verify(self) -> None:
        """Check all that can be checked without computing a prediction.

        Raises:
            FormatTooNew: A newer release wrote the version.
            VersionCorrupt: Names the file, what was expected and what was found.
        """
        self._verify_place()
        for name in {*REQUIRED, *self.metadata.files} - {ONNX}:
            self.verify_file(name)
        self._verify_tokenizer()
        self._verify_labels()
        self.golden.check_ids(self.tokenizer)

    def verify_file(self, name: str) -> None:
        """Raise VersionCorrupt unless the file is there and has the recorded size and hash.

        `verify` leaves out `model.onnx`, without which a version can still be served.
        """
        record = self.metadata.files.get(name)
        if record is None:
            raise VersionCorrupt.mismatch(
                self.path / METADATA, expected=f"a record of {name}", found="none"
            )
        _verify_file(self.path / name, record)

    def _verify_place(self) -> None:
        expected = (self.metadata.name, self.metadata.version)
        found = (self.path.parent.name, self.number)
        if expected != found:
            raise VersionCorrupt.mismatch(
                self.path, expected="{}/{}".format(*expected), found="{}/{}".format(*found)
            )

    def _verify_tokenizer(self) -> None:
        rows = self.metadata.architecture.vocabulary
        if len(self.tokenizer) != rows:
            raise VersionCorrupt.mismatch(
                self.path / TOKENIZER,
                expected=f"{rows} tokens, one for each row of the embedding",
                found=len(self.tokenizer),
            )
        digest = self.metadata.files[TOKENIZER].sha256  # which the file has been held against
        if digest != self.metadata.tokenizer_sha256:
            raise VersionCorrupt.mismatch(
                self.path / TOKENIZER, expected=self.metadata.tokenizer_sha256, found=digest
            )

    def _verify_labels(self) -> None:
        labels = len(self.metadata.labels)
        widths = {len(row) for row in self.golden.probabilities}
        if widths != {labels}:
            raise VersionCorrupt.mismatch(
                self.path / GOLDEN,
                expected=f"{labels} probabilities for each text, one for each label",
                found=sorted(widths),
            )


def read_weight(folder: Path, record: WeightRecord) -> NDArray[np.generic]:
    """Return a weight of the version in a folder, mapped from its file."""
    weight: NDArray[np.generic] = np.memmap(
        folder / WEIGHTS, record.dtype, mode="r", offset=record.offset, shape=record.shape
    )
    return weight


class Store:
    """All versions below one folder.

    Args:
        root: The folder; it need not exist until something is published.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Return the names of all models that have a version, sorted."""
        if not self.root.is_dir():
            return []
        folders = (entry for entry in self.root.iterdir() if _NAME.fullmatch(entry.name))
        return sorted(entry.name for entry in folders if _version_folders(entry))

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a model, oldest first; none where there is no such model."""
        return [Version(folder) for folder in _version_folders(self.root / name)]

    def resolve(self, reference: str) -> Version:
        """Return the version that `name` (its newest) or `name:version` refers to.

        Raises:
            ModelNotFound: Names what there is instead.
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
        """Give an empty folder in which a version of `name` is built, then `publish`ed.

        It lies on the store's own disk, is invisible to readers and is gone afterwards.
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
        """Make what lies in `staging` the newest version of `metadata.name`.

        Version number and file records of `metadata` are filled in here. Safe against others that
        publish at the same time: a number that is taken meanwhile is passed over.
        """
        files = _file_records(staging)
        parent = self.root / metadata.name
        number = max((version.number for version in self.versions(metadata.name)), default=0)
        while True:
            number += 1
            stamped = metadata.model_copy(update={"version": number, "files": files})
            stamped.save(staging / METADATA)
            _make_readable(staging)
            _sync(staging)
            try:
                # Renaming onto a folder that has files fails, so nothing is ever overwritten.
                target = staging.rename(parent / str(stamped.version))
            except OSError:
                if (parent / str(stamped.version)).exists():
                    continue
                raise
            _sync_entry(parent)
            return Version(target)

    def prune(self, name: str, *, keep: int) -> list[int]:
        """Delete all but the newest `keep` versions of a model; return the numbers deleted.

        Raises:
            ModelNotFound: There is no such model.
        """
        if keep < 1:
            raise ValueError(f"keep must be at least 1, received {keep}")
        self.resolve(name)
        doomed = self.versions(name)[:-keep]
        for version in doomed:
            # Renamed first, so that no reader sees a version with half its files.
            trash = version.path.with_name(f"{_STAGING_PREFIX}pruned-{version.path.name}")
            version.path.rename(trash)
            shutil.rmtree(trash)
        return [version.number for version in doomed]


def _version_folders(parent: Path) -> list[Path]:
    try:
        numbered = [entry for entry in parent.iterdir() if _VERSION_NUMBER.fullmatch(entry.name)]
    except OSError:  # no folder, gone meanwhile, or not ours to read
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
    return {
        name: FileRecord(size=path.stat().st_size, sha256=_sha256(path))
        for name, path in names.items()
    }


def _verify_file(path: Path, record: FileRecord) -> None:
    if not path.is_file():
        raise VersionCorrupt.mismatch(path, expected="a file", found="none")
    if (size := path.stat().st_size) != record.size:
        raise VersionCorrupt.mismatch(path, expected=f"{record.size} bytes", found=f"{size} bytes")
    if (digest := _sha256(path)) != record.sha256:
        raise VersionCorrupt.mismatch(path, expected=f"sha256 {record.sha256}", found=digest)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make_readable(folder: Path) -> None:
    """Let everyone read: the service may run as another user than the trainer."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _sync(folder: Path) -> None:
    """Force the folder and its content to disk, so that a rename cannot survive what it names."""
    for path in sorted(folder.rglob("*"), reverse=True):
        _sync_entry(path)
    _sync_entry(folder)


def _sync_entry(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
