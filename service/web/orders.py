"""What a worker hears from its parent."""

import os
import signal
from multiprocessing.connection import Connection


class Orders:
    """The signals that a worker was told of by its parent.

    Args:
        line: The worker's end of the line.
    """

    def __init__(self, line: "Connection[bytes, bytes]") -> None:
        self.count = 0
        self._line = line

    def follow(self) -> None:
        """Raise each of them here, and SIGTERM when the parent has ended."""
        is_over = False
        while not is_over:
            try:
                number = self._line.recv_bytes()[0]
            except (EOFError, OSError):
                number, is_over = signal.SIGTERM, True
            self.count += 1
            os.kill(os.getpid(), number)
