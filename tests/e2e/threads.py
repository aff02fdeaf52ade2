"""Work that goes on in threads while a test does something else."""

import threading
from collections.abc import Callable
from typing import Self


class Threads:
    """Runs work while entered.

    Args:
        work: What each thread does; it has to end soon after `over` is set.
    """

    def __init__(self, *work: Callable[[], None]) -> None:
        self.over = threading.Event()
        self._threads = [threading.Thread(target=each) for each in work]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()
