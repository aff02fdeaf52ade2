"""The service as it is shipped, in a process of its own."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.server import ROOT, Server, running

MODEL = "imdb-gru"
STORE = ROOT / "models" / "store"


@contextmanager
def serving_shipped(
    store: Path = STORE, *, under: Sequence[str] = (), **environment: str
) -> Iterator[Server]:
    """Give the service with a model that is shipped; it is ready and warm."""
    settings = {"GATEWISE_MODEL": MODEL, "GATEWISE_THREADS": "1"} | environment
    with running(store, under=under, **settings) as server:
        for _ in range(20):
            assert server.predict(text="An unforgettable film.")[0] == 200
        yield server


def megabytes(server: Server, figure: str = "VmRSS") -> float:
    """Return a figure of the memory of a process, as Linux gives it."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{figure}:")) / 1024


def reset_peak(server: Server) -> None:
    """Have the peak of the memory, VmHWM, begin anew."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def cpu_seconds(server: Server) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def wait_until(is_so: Callable[[], bool], *, seconds: float = 30) -> None:
    """Return when something is so, or fail."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
