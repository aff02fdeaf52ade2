"""A version as bytes, for machines that do not have its store."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from models.errors import GatewiseError, VersionCorrupt
from models.locks import lock
from models.metadata import digest_file
from models.regular_files import check_inner_name, find_inside, list_inside
from models.versions import METADATA, Version

PATIENCE = 300.0  # seconds that a process waits for another one that unpacks the same version


@dataclass(frozen=True, kw_only=True)
class VersionPlace:
    """Where a version is, and what it has to be.

    Args:
        path: Its folder, which another machine may not have.
        sha256: Hash of its metadata, which has the hashes of all other files.
    """

    path: Path
    sha256: str

    @classmethod
    def of(cls, version: Version) -> "VersionPlace":
        """Return the place of a version."""
        path = version.path.absolute()
        return cls(path=path, sha256=digest_file(find_inside(path, METADATA)))

    def find(self) -> Version | None:
        """Return the verified version if this machine has it, in the store or unpacked."""
        for path in (self.path, self._unpacked):
            try:
                if digest_file(find_inside(path, METADATA)) == self.sha256:
                    version = Version(path)
                    version.verify()
                    return version
            except (OSError, VersionCorrupt):
                continue
        return None

    def unpack(self, files: dict[str, bytes]) -> Version:
        """Write the files of the version to this machine, unless a process has done it.

        Raises:
            VersionCorrupt: They are not what its metadata says.
        """
        folder = self._unpacked
        busy = GatewiseError(f"another process has been unpacking {folder} for too long")
        with lock(folder.with_name(".lock"), busy=busy, patience=PATIENCE):
            if (version := self.find()) is not None:
                return version
            shutil.rmtree(folder, ignore_errors=True)  # somebody has changed it
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                written = Path(scratch) / folder.parent.name / folder.name
                for name, content in files.items():
                    path = written / check_inner_name(name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                Version(written).verify()
                written.rename(folder)
        return Version(folder)

    @property
    def _unpacked(self) -> Path:
        """The folder of the unpacked version, for each user and for each content."""
        owner = os.getuid() if hasattr(os, "getuid") else "user"
        root = Path(tempfile.gettempdir()) / f"gatewise-versions-{owner}" / self.sha256
        return root / self.path.parent.name / self.path.name


def pack(version: Version) -> dict[str, bytes]:
    """Return the content of all files of a version by name."""
    names = [name for name in list_inside(version.path) if not Path(name).name.startswith(".")]
    return {name: find_inside(version.path, name).read_bytes() for name in names}
