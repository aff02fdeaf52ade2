"""Versions in a folder of another disk, such as a shared one: `file:///folder/reviews`."""

import os
from collections.abc import Iterator
from pathlib import Path

from models.atomic import make_folder, replace_file, sync, unfinished_file
from models.errors import RemoteRefusal
from models.regular_files import find_inside, open_regular
from models.remotes.place import CHUNK_BYTES, Missing, Observer


class FolderObjects:
    """Files below a folder: see `Objects`. What is no regular file raises VersionCorrupt.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        """Return the names of the folders at the top."""
        try:
            return [entry.name for entry in self._root.iterdir() if entry.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _refuse(error) from error

    def stream(self, name: str, *, start: int, size: int) -> Iterator[bytes]:
        """Yield the bytes of a file from `start` to `size`."""
        path = find_inside(self._root, name)
        try:
            with open_regular(path) as file:
                file.seek(start)
                while start < size and (chunk := file.read(min(CHUNK_BYTES, size - start))):
                    start += len(chunk)
                    yield chunk
        except (FileNotFoundError, NotADirectoryError):
            raise Missing(f"{path}: there is no such file") from None
        except OSError as error:
            raise _refuse(error) from error

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has; None if there is none."""
        try:
            return os.lstat(find_inside(self._root, name)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _refuse(error) from error

    def put_file(self, name: str, source: Path, *, observer: Observer) -> None:
        """Write a file, which appears whole."""
        with (
            open_regular(source) as file,
            replace_file(self._place(name)) as path,
            path.open("wb") as target,
        ):
            while chunk := file.read(CHUNK_BYTES):
                target.write(chunk)
                observer.advance(len(chunk))

    def put(self, name: str, content: bytes, *, new: bool) -> None:
        """Write a small file. With `new`, one that is there already stays."""
        path = self._place(name)
        if not new:
            with replace_file(path) as unfinished:
                unfinished.write_bytes(content)
            return
        with unfinished_file(path.parent) as unfinished:
            unfinished.write_bytes(content)
            sync(unfinished)
            _keep_or_move(unfinished, path)
        sync(path.parent)

    def delete(self, name: str) -> None:
        """Delete a file."""
        find_inside(self._root, name).unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        path = find_inside(self._root, name)
        make_folder(path.parent)
        return path


def _keep_or_move(source: Path, target: Path) -> None:
    """Move a file to where none is; one that is there stays."""
    try:
        os.link(source, target)  # unlike a rename it fails if another has written it meanwhile
    except FileExistsError:
        return
    except OSError:  # a disk without links
        if not target.exists():
            os.replace(source, target)


def _refuse(error: OSError) -> RemoteRefusal:
    return RemoteRefusal(f"{error.filename}: {error.strerror}")
