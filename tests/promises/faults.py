"""Lets one call of the operating system fail: the k-th of those that read or write a disk."""

import builtins
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WRITES = ("fsync", "rename", "replace", "mkdir", "rmdir", "unlink", "chmod", "open", "link")
READS = ("open", "scandir", "listdir", "stat", "lstat", "fstat")


class Fault:
    """Counts calls, and fails the one that is asked for.

    Args:
        below: Only calls that name a path below this folder count, and those that name none.
        at: Number of the call that fails, from 0 on; None to count alone.
        number: Its error.
    """

    def __init__(self, below: Path, *, at: int | None = None, number: int = 0) -> None:
        self.calls: list[str] = []
        self._below = str(below)
        self._at = at
        self._number = number

    def concerns(self, path: object) -> bool:
        """Whether a path is below the folder."""
        return str(path).startswith(self._below)

    def meet(self, what: str, path: object = None) -> None:
        """Count a call, or raise OSError."""
        if isinstance(path, str | Path) and not self.concerns(path):
            return
        self.calls.append(f"{what} {path}")
        if len(self.calls) - 1 == self._at:
            raise OSError(self._number, os.strerror(self._number), str(path))


class FailingFile:
    """A file whose writes may fail."""

    def __init__(self, file: Any, fault: Fault) -> None:
        self._file = file
        self._fault = fault

    def write(self, data: Any) -> Any:
        self._fault.meet("write")
        return self._file.write(data)

    def read(self, *size: int) -> Any:
        self._fault.meet("read")
        return self._file.read(*size)

    def readinto(self, buffer: Any) -> Any:
        self._fault.meet("read")
        return self._file.readinto(buffer)

    def __enter__(self) -> "FailingFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def faulty(fault: Fault, *, calls: tuple[str, ...]) -> Iterator[None]:
    """Let calls meet the fault while entered."""
    with pytest.MonkeyPatch.context() as patch:
        for name in calls:
            patch.setattr(os, name, _wrap(getattr(os, name), name, fault))
        patch.setattr(os, "fdopen", _wrap_fdopen(os.fdopen, fault))
        opening = _wrap_open(builtins.open, fault)
        patch.setattr(builtins, "open", opening)
        patch.setattr(io, "open", opening)
        yield


def _wrap(call: Callable[..., Any], name: str, fault: Fault) -> Callable[..., Any]:
    def wrapped(*args: Any, **options: Any) -> Any:
        fault.meet(name, args[0] if args else None)
        return call(*args, **options)

    return wrapped


def _wrap_fdopen(call: Callable[..., Any], fault: Fault) -> Callable[..., Any]:
    def wrapped(descriptor: int, *args: Any, **options: Any) -> Any:
        file = call(descriptor, *args, **options)
        place = os.readlink(f"/proc/self/fd/{descriptor}")
        return FailingFile(file, fault) if fault.concerns(place) else file

    return wrapped


def _wrap_open(call: Callable[..., Any], fault: Fault) -> Callable[..., Any]:
    def wrapped(path: Any, *args: Any, **options: Any) -> Any:
        if not fault.concerns(path):
            return call(path, *args, **options)
        fault.meet("open", path)
        return FailingFile(call(path, *args, **options), fault)

    return wrapped
