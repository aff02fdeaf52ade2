"""Versions in buckets, by fsspec: `s3://bucket/models/reviews` and `gs://bucket/models/reviews`.

Credentials and endpoints come from the environment, as s3fs and gcsfs read it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from models.errors import ExtraMissing, RemoteError, RemoteRefusal, RemoteSilent
from models.installation import install_command
from models.remotes.address import GOOGLE, S3, Address
from models.remotes.causes import describe_cause
from models.remotes.place import CHUNK_BYTES, SILENCE_SECONDS, Missing, Observer

_TRIES = 2  # of a request, by s3fs
_UNSHARED: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
_RANGE_BYTES = 2 * CHUNK_BYTES  # of one request
_PATIENCE = {"timeout": 2 * SILENCE_SECONDS}  # for one request, with what its library repeats
_REFUSALS = ("Credential", "RefreshError", "ParamValidation")
"""Parts of the names of errors after which the same request fails again."""


class BucketObjects:
    """Files below a folder of a bucket: see `Objects`.

    Args:
        address: The address of the folder.

    Raises:
        ExtraMissing: The library of this kind of bucket is not installed.
    """

    def __init__(self, address: Address) -> None:
        self._root = address.path
        self._model = address.model
        self._files = _open_files(address.kind)

    def names(self) -> list[str]:
        """Return the names of the folders at the top."""
        with self._asking():
            try:
                entries = self._files.ls(self._root, detail=True, refresh=True, **_PATIENCE)
            except FileNotFoundError:
                return []
        folders = [entry["name"] for entry in entries if entry["type"] == "directory"]
        return [name.rstrip("/").rpartition("/")[2] for name in folders]

    def stream(self, name: str, *, start: int, size: int) -> Iterator[bytes]:
        """Yield the bytes of a file from `start` to `size`, fewer if it has fewer."""
        there = self.size(name)
        if there is None:
            raise Missing(f"{self._model}/{name}: there is no such file")
        size = min(size, there)
        while start < size:
            end = min(start + _RANGE_BYTES, size)
            with self._asking(name):
                chunk: bytes = self._files.cat_file(
                    self._path(name), start=start, end=end, **_PATIENCE
                )
            if not chunk or len(chunk) > end - start:
                return  # the file changes at this moment, or the place does not know ranges
            yield chunk
            start += len(chunk)

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has; None if there is none."""
        try:
            with self._asking(name):
                found = self._files.info(self._path(name), refresh=True, **_PATIENCE)
        except Missing:
            return None
        return int(found["size"]) if found["type"] == "file" else None

    def put_file(self, name: str, source: Path, *, observer: Observer) -> None:
        """Write a file, which appears whole."""
        sent = _Counting(observer)
        with self._asking(name):
            self._files.put_file(str(source), self._path(name), callback=sent)
        sent.absolute_update(source.stat().st_size)  # where the library has told nothing

    def put(self, name: str, content: bytes, *, new: bool) -> None:
        """Write a small file. With `new`, one that is there stays, if the place can tell."""
        if not new:
            with self._asking(name):
                self._files.pipe_file(self._path(name), content)
            return
        try:
            with self._asking(name):
                self._files.pipe_file(self._path(name), content, mode="create")
        except RemoteError:
            if self.size(name) is None:  # so the place does not know conditions
                self.put(name, content, new=False)

    def delete(self, name: str) -> None:
        """Delete a file."""
        with suppress(Missing), self._asking(name):
            self._files.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _asking(self, name: str = "") -> Iterator[None]:
        """Translate what the libraries raise, which is almost anything."""
        where = f"{self._model}/{name}".rstrip("/")
        try:
            yield
        except RemoteError:
            raise
        except FileNotFoundError as error:
            raise Missing(f"{where}: there is no such file") from error
        except Exception as error:
            cause = describe_cause(error)
            if isinstance(error, PermissionError) or _is_refusal(error):
                raise RemoteRefusal(f"{where}: refused ({cause}); see its credentials") from error
            raise RemoteSilent(f"{where}: no answer, or a broken one ({cause})") from error


def _open_files(kind: str) -> Any:
    """Return the file system of a kind of bucket, with bounded waits and without caches."""
    try:
        return {S3: _open_s3, GOOGLE: _open_google}[kind]()
    except ImportError as error:
        raise ExtraMissing(
            f"{kind}:// needs a library that is not here: {install_command(kind)} ({error})"
        ) from error


def _open_s3() -> Any:
    import s3fs

    s3fs.S3FileSystem.retries = _TRIES
    waits = {"connect_timeout": SILENCE_SECONDS, "read_timeout": SILENCE_SECONDS}
    config = {**waits, "retries": {"total_max_attempts": 1}}
    return s3fs.S3FileSystem(config_kwargs=config, **_UNSHARED)


def _open_google() -> Any:
    import aiohttp
    from gcsfs.core import GCSFileSystem  # without its extensions, which ask for more rights

    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # one line says what was wrong
    waits = aiohttp.ClientTimeout(
        total=None, sock_connect=SILENCE_SECONDS, sock_read=SILENCE_SECONDS
    )
    return GCSFileSystem(session_kwargs={"timeout": waits}, **_UNSHARED)


def _is_refusal(error: Exception) -> bool:
    return any(part in type(error).__name__ for part in _REFUSALS) or "Forbidden" in str(error)[:40]


class _Counting:
    """Hands on how many bytes are sent; what fsspec calls a callback.

    Args:
        observer: Is told.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._sent = 0

    def set_size(self, size: int | None) -> None:
        """Ignore the size, which is known."""

    def relative_update(self, inc: int = 1) -> None:
        """Count what is sent."""
        self._sent += inc
        self._observer.advance(inc)

    def absolute_update(self, value: int) -> None:
        """Take how much has been sent in all."""
        self.relative_update(value - self._sent)
