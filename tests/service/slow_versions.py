"""Lets versions of a model take as long to load as a test likes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import pytest

from models.versions import Version
from service.answering import entry
from service.engines.loading import OpenedEngine

SECONDS = 30.0  # to wait at most


class SlowVersions:
    """While entered, no engine opens versions of a model before the test allows it.

    Args:
        name: The model.
        monkeypatch: That of the test.
    """

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number: int | None = None  # of the only version that is slow
        self.begun = threading.Event()
        self.opened = threading.Event()
        open_engine = entry.open_engine

        def wait(version: Version, **asked: Any) -> OpenedEngine:
            if version.name == name and self.number in (None, version.number):
                self.begun.set()
                assert self.opened.wait(SECONDS)
            return open_engine(version, **asked)

        monkeypatch.setattr(entry, "open_engine", wait)

    def __enter__(self) -> "SlowVersions":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.opened.set()

    @contextmanager
    def loading(self, load: Callable[[], None]) -> Iterator[None]:
        """Enter once such a version is being loaded in another thread; let it load on exit."""
        thread = threading.Thread(target=load)
        thread.start()
        try:
            assert self.begun.wait(SECONDS)
            yield
        finally:
            self.opened.set()
            thread.join(SECONDS)
