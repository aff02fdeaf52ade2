"""What a remote place can do, whatever it is."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.errors import RemoteRefusal, VersionCorrupt
from models.metadata import Metadata
from models.versions import METADATA

SILENCE_SECONDS = 30.0  # without a byte, after which a place counts as silent
CHUNK_BYTES = 1 << 20  # read at once


class Missing(RemoteRefusal):
    """The place has no such file."""


def join_small(chunks: Iterable[bytes], *, limit: int, where: str) -> bytes:
    """Return the content of a small file, without reading on if it is a large one.

    Raises:
        VersionCorrupt: It has more than `limit` bytes.
    """
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > limit:
            raise VersionCorrupt.mismatch(where, expected=f"at most {limit:,} bytes", found="more")
    return bytes(content)


class Observer(Protocol):
    """Is told how a transfer comes on."""

    def begin(self, what: str, *, size: int) -> None:
        """Take the name of what is transferred, and its size in bytes."""

    def advance(self, count: int) -> None:
        """Count further bytes, also those that were there before; below 0 those that go again."""

    def say(self, line: str) -> None:
        """Take a line that the user should read."""


class Found(Protocol):
    """One version at a place. It does not change while it is read."""

    @property
    def where(self) -> str:
        """The address of exactly this version, for messages."""

    def read(self, name: str, *, limit: int) -> bytes:
        """Return a small file.

        Raises:
            Missing: It is not there.
            RemoteRefusal: It may not be read.
            RemoteSilent: The place does not answer.
            VersionCorrupt: It has more than `limit` bytes.
        """

    def stream(self, name: str, *, start: int, size: int) -> Iterator[bytes]:
        """Yield the bytes of a file of `size` bytes from `start` on; raises as `read` does."""


@dataclass(frozen=True)
class Upload:
    """A version on its way to a place.

    Args:
        folder: Folder of its files.
        metadata: Its metadata, with the number that it gets there.
        manifest: The same as a file, which names all others with their hashes.
    """

    folder: Path
    metadata: Metadata
    manifest: bytes

    @property
    def sha256(self) -> str:
        """Hash of the manifest, and so of the whole version."""
        return hashlib.sha256(self.manifest).hexdigest()

    @property
    def digest(self) -> bytes:
        """Content of the file DIGEST."""
        return f"{self.sha256}  {METADATA.rpartition('/')[2]}\n".encode()

    @property
    def size(self) -> int:
        """Bytes of all files but the manifest."""
        return sum(record.size for record in self.metadata.files.values())


class Place(Protocol):
    """The versions of one model somewhere else."""

    def find(self, which: str | None) -> Found:
        """Return a version by number, label or revision; the one that answers there if None.

        Raises:
            RemoteRefusal: There is none, or it may not be read.
            RemoteSilent: The place does not answer.
        """

    def publish(self, upload: Upload, *, label: str | None, observer: Observer) -> bool:
        """Make a version visible there once it is whole; return False if it already was.

        Args:
            upload: The version.
            label: Label that it gets there, which another version may lose.
            observer: Is told how it comes on.

        Raises:
            RemoteRefusal: Another version has the number, or it may not be written.
            RemoteSilent: The place does not answer.
        """
