"""Fetches one file of a version, from where an earlier try has stopped."""

import time
from dataclasses import dataclass
from pathlib import Path

from models.errors import RemoteSilent, VersionCorrupt
from models.metadata import FileRecord, digest_file
from models.remotes.place import Found, Missing, Observer

TRIES = 3  # one after the other without a further byte
FIRST_PAUSE = 0.5  # seconds before the second try, then twice as long


@dataclass(frozen=True)
class Fetch:
    """One file on its way.

    Args:
        found: The version at its place.
        name: Name of the file within it.
        record: Size and hash that the file must have.
        path: Where it goes; what is there is taken as its beginning.
        observer: Is told of its bytes.
    """

    found: Found
    name: str
    record: FileRecord
    path: Path
    observer: Observer

    def run(self) -> None:
        """Fetch what is missing of the file, and compare the whole with its record.

        Raises:
            RemoteSilent: The place does not answer. What has arrived stays.
            RemoteRefusal: It refuses meanwhile. What has arrived stays.
            VersionCorrupt: The file is missing there, or has another size or hash.
            OSError: It cannot be written.
        """
        kept = self._keep()
        self._complete(kept)
        if self._is_right():
            return
        if kept:  # what an earlier try has left may be the fault
            self.observer.advance(-self.record.size)
            self.path.write_bytes(b"")
            self._complete(0)
        if not self._is_right():
            raise self._mismatch(f"sha256 {self.record.sha256}", digest_file(self.path))

    def _keep(self) -> int:
        """Return how many bytes an earlier try has left that may be a beginning of the file."""
        self.path.open("ab").close()
        kept = self.path.stat().st_size
        if kept > self.record.size:
            self.path.write_bytes(b"")
            return 0
        self.observer.advance(kept)
        return kept

    def _complete(self, size: int) -> None:
        failed = 0
        while size < self.record.size:
            before = size
            try:
                size += self._append(size)
                silence = None
            except RemoteSilent as error:
                size, silence = self.path.stat().st_size, error
            failed = 0 if size > before else failed + 1
            if failed == TRIES:
                raise silence or self._mismatch(f"{self.record.size:,} bytes", f"{size:,}")
            if size < self.record.size:
                time.sleep(FIRST_PAUSE * 2**failed)

    def _append(self, start: int) -> int:
        """Fetch from `start` on; return how many bytes came."""
        size = start
        try:
            with self.path.open("ab") as file:
                for chunk in self.found.stream(self.name, start=start, size=self.record.size):
                    size += len(chunk)
                    if size > self.record.size:
                        raise self._mismatch(f"{self.record.size:,} bytes", "more")
                    file.write(chunk)
                    self.observer.advance(len(chunk))
        except Missing as error:
            raise VersionCorrupt(f"{self.found.where}: {self.name} is missing ({error})") from error
        return size - start

    def _is_right(self) -> bool:
        return digest_file(self.path) == self.record.sha256

    def _mismatch(self, expected: str, found: str) -> VersionCorrupt:
        where = f"{self.found.where}: {self.name}"
        return VersionCorrupt.mismatch(where, expected=expected, found=found)
