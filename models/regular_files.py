"""Reads files that a stranger may have made.

Only regular files inside of a folder are opened, and none that is larger than allowed. So a link
cannot lead elsewhere, and a pipe or a device cannot make a reader wait.
"""

import errno
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from models.errors import VersionCorrupt
from models.limits import DEEPEST_FOLDER, LONGEST_PATH, MOST_FILES

_OWN_FAULTS = {errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR}
"""Errors of a folder itself, where others are those of its disk."""
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


def check_inner_name(name: str) -> str:
    """Return the name of a file within a folder unchanged, such as `variables/variables.index`.

    Raises:
        ValueError: It may lead out of the folder, or is too long.
    """
    parts = name.split("/")
    if {"", ".", ".."} & set(parts) or not name.isprintable() or "\\" in name or ":" in name:
        raise ValueError(f"{name[:80]!r} is no name of a file within a version")
    if len(name) > LONGEST_PATH or len(parts) > DEEPEST_FOLDER:
        raise ValueError(f"the name {name[:40]!r}… is too long")
    return name


def find_inside(folder: Path, name: str) -> Path:
    """Return the path of a file within a folder; only the folder itself may be a link.

    Raises:
        VersionCorrupt: A folder on the way is a link.
        ValueError: The name leads out of the folder.
    """
    path = folder
    *folders, last = check_inner_name(name).split("/")
    for each in folders:
        path = path / each
        if path.is_symlink():
            raise VersionCorrupt.mismatch(path, expected="a folder", found="a link")
    return path / last


def open_regular(path: Path) -> BufferedReader:
    """Open a file to read its bytes.

    Raises:
        VersionCorrupt: It is a link, a folder, a pipe, a socket or a device.
        OSError: It cannot be opened.
    """
    _require_regular(path, os.lstat(path))  # before, because opening a device may do something
    descriptor = os.open(path, _FLAGS)
    try:
        _require_regular(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, *, limit: int) -> bytes:
    """Return the content of a file of at most `limit` bytes.

    Raises:
        VersionCorrupt: It is larger, or no regular file.
        OSError: It cannot be read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise VersionCorrupt.mismatch(
                path, expected=f"at most {limit:,} bytes", found=f"{size:,}"
            )
        return file.read(size)


def read_inside(folder: Path, name: str, *, limit: int) -> bytes:
    """Return the content of a file within a folder; see `find_inside` and `read_regular`."""
    return read_regular(find_inside(folder, name), limit=limit)


def list_inside(folder: Path) -> dict[str, os.stat_result]:
    """Return all files below a folder by their names within it.

    Raises:
        VersionCorrupt: There is something else than files and folders, or too much of them, or what
            this user may not look at.
        OSError: The disk has a fault, or the folder is gone.
    """
    found: dict[str, os.stat_result] = {}
    for entries, entry in enumerate(_walk(folder, depth=1)):
        if entries >= MOST_FILES:
            raise VersionCorrupt.mismatch(folder, expected=f"{MOST_FILES} files", found="more")
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            _require_regular(Path(entry.path), status)
            found[Path(entry.path).relative_to(folder).as_posix()] = status
    return found


def _walk(folder: Path | str, *, depth: int) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            listed = list(_first(entries))
    except OSError as error:
        if error.errno not in _OWN_FAULTS:
            raise
        raise VersionCorrupt(f"{folder}: {error.strerror}") from error
    for entry in listed:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            if depth == DEEPEST_FOLDER:
                raise VersionCorrupt(f"{entry.path}: folders are nested too deeply")
            yield from _walk(entry.path, depth=depth + 1)


def _first(entries: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    """Yield one more than there may be, for a folder may hold millions."""
    for _, entry in zip(range(MOST_FILES + 1), entries, strict=False):
        yield entry


def _require_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise VersionCorrupt.mismatch(path, expected="a file", found=_kind(status.st_mode))


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")
