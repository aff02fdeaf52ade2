"""Ends this process at a signal."""

import os
import signal
from types import FrameType
from typing import NoReturn


def end_process(number: int, _frame: FrameType | None = None) -> NoReturn:
    """End this process by a signal, whatever its threads are at; it can be a handler of signals.

    For the first process of a container the system ignores such a signal. It exits with status 0.
    """
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    os._exit(0)
