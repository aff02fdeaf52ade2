"""Versions as numbered folders, wherever files can be written whole: in buckets and in folders.

- `<number>/<file>` as in a store.
- `<number>/assets.extra/metadata.json` is written last: without it there is no version.
- `<number>/assets.extra/metadata.json.sha256` has its hash.
- `<number>/.push` says which version is being pushed there.
- `labels/<label>` has the number of the version with that label.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.errors import RemoteRefusal, VersionCorrupt
from models.limits import LARGEST_METADATA
from models.metadata import FileRecord
from models.names import VERSION_NUMBER
from models.remotes.place import Missing, Observer, Upload, join_small
from models.version_labels import STABLE
from models.versions import DIGEST, METADATA

CLAIM = ".push"
LABELS = "labels"
_LONGEST_NOTE = 100  # bytes of a claim, and of the number with a label
_MOST_TRIED = 20  # newest numbers, some of which may be half pushed


class Objects(Protocol):
    """Files below one address, each of which is replaced as a whole. All raise RemoteError."""

    def names(self) -> list[str]:
        """Return the names of the folders at the top."""

    def stream(self, name: str, *, start: int, size: int) -> Iterator[bytes]:
        """Yield the bytes of a file from `start` to `size`; or Missing."""

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has; None if there is none."""

    def put_file(self, name: str, source: Path, *, observer: Observer) -> None:
        """Write a file."""

    def put(self, name: str, content: bytes, *, new: bool) -> None:
        """Write a small file. With `new`, one that is there already stays, where it can be told."""

    def delete(self, name: str) -> None:
        """Delete a file."""


@dataclass(frozen=True)
class NumberedFolder:
    """One version: see `Found`."""

    objects: Objects
    model: str
    number: int

    @property
    def where(self) -> str:
        """Its address."""
        return f"{self.model}@{self.number}"

    def read(self, name: str, *, limit: int) -> bytes:
        """Return a small file."""
        chunks = self.stream(name, start=0, size=limit + 1)
        return join_small(chunks, limit=limit, where=f"{self.where}: {name}")

    def stream(self, name: str, *, start: int, size: int) -> Iterator[bytes]:
        """Yield the bytes of a file from `start` on."""
        return self.objects.stream(f"{self.number}/{name}", start=start, size=size)


@dataclass(frozen=True)
class NumberedFolders:
    """All versions of a model: see `Place`.

    Args:
        objects: The files.
        model: Their address, for messages.
    """

    objects: Objects
    model: str

    def find(self, which: str | None) -> NumberedFolder:
        """Return a version by number or label; without either the stable or else the newest one."""
        number = self._resolve(which)
        found = NumberedFolder(self.objects, self.model, number)
        if self.objects.size(f"{number}/{METADATA}") is None:
            there_are = ", ".join(map(str, self._complete())) or "none"
            raise RemoteRefusal(f"{self.model}: no version {number}; there are: {there_are}")
        return found

    def _resolve(self, which: str | None) -> int:
        if which is None:
            return self._labelled(STABLE) or self._newest()
        if VERSION_NUMBER.fullmatch(which):
            return int(which)
        if (number := self._labelled(which)) is None:
            raise RemoteRefusal(f"{self.model}: no version is {which}")
        return number

    def publish(self, upload: Upload, *, label: str | None, observer: Observer) -> bool:
        """Write all files, the manifest last."""
        number = upload.metadata.version
        target = NumberedFolder(self.objects, self.model, number)
        fresh = not self._is_there(target, upload)
        if fresh:
            self._send(target, upload, observer=observer)
        if label is not None and self._labelled(label) != number:
            self.objects.put(f"{LABELS}/{label}", b"%d\n" % number, new=False)
        return fresh

    def _send(self, target: NumberedFolder, upload: Upload, *, observer: Observer) -> None:
        resumed = self._claim(target, upload)
        for name, record in upload.metadata.files.items():
            inner = f"{target.number}/{name}"
            if resumed and self._is_whole(inner, record):
                observer.advance(record.size)
            else:
                self.objects.put_file(inner, upload.folder / name, observer=observer)
        self.objects.put(f"{target.number}/{DIGEST}", upload.digest, new=False)
        self.objects.put(f"{target.number}/{METADATA}", upload.manifest, new=True)
        if not self._is_there(target, upload):
            raise RemoteRefusal(f"{target.where}: its metadata is not there after it was written")
        self.objects.delete(f"{target.number}/{CLAIM}")

    def _is_there(self, target: NumberedFolder, upload: Upload) -> bool:
        """Whether exactly this version is there; raises RemoteRefusal if another one is."""
        try:
            manifest = target.read(METADATA, limit=LARGEST_METADATA)
        except Missing:
            return False
        if manifest != upload.manifest:
            raise RemoteRefusal(
                f"{target.where} is another version, and none is overwritten; push it under "
                f"another number, as in {self.model}@{max(self._numbers()) + 1}"
            )
        return True

    def _claim(self, target: NumberedFolder, upload: Upload) -> bool:
        """Mark the folder as that of this version; return whether it was marked before.

        So no two versions of one number are mixed, and what an earlier push has left is known.
        """
        name = f"{target.number}/{CLAIM}"
        digest = upload.sha256.encode()
        claimed = self._read_note(name)
        resumed = claimed is not None
        if not resumed:
            self.objects.put(name, digest, new=True)
            claimed = self._read_note(name)
        if claimed != digest:
            raise RemoteRefusal(
                f"{target.where}: a push of another version has begun there and is not complete; "
                f"push under another number, or delete {self.model}/{name} if it was given up"
            )
        return resumed

    def _is_whole(self, name: str, record: FileRecord) -> bool:
        """Whether an earlier push has left a file whole. It is read back, and so is certain."""
        if self.objects.size(name) != record.size:
            return False
        hashed = hashlib.sha256()
        for chunk in self.objects.stream(name, start=0, size=record.size) if record.size else ():
            hashed.update(chunk)
        return hashed.hexdigest() == record.sha256

    def _labelled(self, label: str) -> int | None:
        note = self._read_note(f"{LABELS}/{label}")
        if note is None:
            return None
        if not VERSION_NUMBER.fullmatch(text := note.decode("ascii", "replace").strip()):
            raise VersionCorrupt.mismatch(
                f"{self.model}/{LABELS}/{label}", expected="a version number", found=repr(text)
            )
        return int(text)

    def _read_note(self, name: str) -> bytes | None:
        try:
            chunks = self.objects.stream(name, start=0, size=_LONGEST_NOTE + 1)
            return join_small(chunks, limit=_LONGEST_NOTE, where=f"{self.model}/{name}")
        except Missing:
            return None

    def _newest(self) -> int:
        for number in self._complete():
            return number
        raise RemoteRefusal(f"{self.model}: there is no version")

    def _complete(self) -> Iterator[int]:
        """Yield the numbers of the newest versions that are there whole, the newest first."""
        for number in reversed(self._numbers()[-_MOST_TRIED:]):
            if self.objects.size(f"{number}/{METADATA}") is not None:
                yield number

    def _numbers(self) -> list[int]:
        return sorted(int(name) for name in self.objects.names() if VERSION_NUMBER.fullmatch(name))
