"""Says how fast a core is at each moment, while something else has it.

    python -m benchmarks.fleet.pace CORE FILE PARENT

Where machines are lent, others share what a core is made of, and it may be half as fast from one
second to the next. Every 20 ms this takes the core for about 100 microseconds, for a fixed piece of
work in Python and in memory. FILE gets two numbers of 8 bytes each time: when, on the clock
`time.perf_counter`, and the processor time that the work took. It ends with its parent, whose
number is the third argument.
"""

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.fleet.load import take_precedence

PAUSE = 0.02
ROUNDS = 1_000
FLOATS = 2**17  # 512 KiB, as far from the core as the weights of a network
PRIORITY = 3
REFERENCE = 120e-6  # seconds of the work at which the core counts as neither slow nor fast
BIN = 0.1  # seconds
SAMPLE = 16  # bytes
Memory = NDArray[np.float32]
WINDOW = 5  # samples whose median counts


def main(core: int, path: Path, parent: int) -> None:
    """Look at a core until this process is ended, or its parent."""
    os.sched_setaffinity(0, {core})
    take_precedence(0, priority=PRIORITY)
    gc.disable()
    memory = np.ones(FLOATS, np.float32)
    with path.open("wb", buffering=0) as file:
        while os.getppid() == parent:
            time.sleep(PAUSE)
            _work(20, memory[:1_000])  # what the core has forgotten meanwhile does not count
            now, used = time.perf_counter(), time.thread_time()
            _work(ROUNDS, memory)
            file.write(np.array([now, time.thread_time() - used]).tobytes())


def _work(rounds: int, memory: Memory) -> None:
    memory.sum()
    total = 0
    for each in range(rounds):
        total += each & 7


@contextmanager
def watching(core: int) -> Iterator["Pace"]:
    """Watch a core meanwhile."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "pace"
        command = [sys.executable, "-m", "benchmarks.fleet.pace", str(core), str(path)]
        command.append(str(os.getpid()))
        process = subprocess.Popen(command, start_new_session=True)
        try:
            yield Pace(path)
        finally:
            process.terminate()
            process.wait()


class Pace:
    """What was seen of a core so far.

    Args:
        path: The file that is written meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def slowness(self, start: float, end: float) -> list[float]:
        """Return how slow the core was in each tenth of a second between two times.

        Args:
            start: On the clock `time.perf_counter`.
            end: The same.

        Raises:
            ValueError: It was not looked at long enough.
        """
        whole = self._path.read_bytes() if self._path.exists() else b""
        rows = np.frombuffer(whole[: len(whole) // SAMPLE * SAMPLE], np.float64).reshape(-1, 2)
        rows = rows[(rows[:, 0] >= start) & (rows[:, 0] < end)]
        if len(rows) < WINDOW:
            raise ValueError("the core was not looked at long enough")
        padded = np.pad(rows[:, 1], WINDOW // 2, mode="edge")
        works = np.median(np.lib.stride_tricks.sliding_window_view(padded, WINDOW), axis=1)
        bins = np.arange(start, end, BIN)
        return [round(float(each), 3) for each in np.interp(bins, rows[:, 0], works) / REFERENCE]


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
