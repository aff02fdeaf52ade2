"""One real machine: a process of the service alone on one core, and loads that come from another.

The service and the load go before all else on their cores, where the system allows that, or a
shared machine would add the work of others to their times. The event loop of the service goes
before its computing threads, as it does on a machine of its own.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.fleet.load import Plan, take_precedence
from benchmarks.fleet.pace import Pace, watching
from benchmarks.fleet.traffic import Floats
from benchmarks.serving.lineup import gatewise
from benchmarks.serving.place import Place
from benchmarks.serving.results import Record
from benchmarks.serving.server import ROOT, Server, serving
from service.scheduling.scheduler import NICE

OK = 200
LOOP, OTHERS = 2, 1  # priorities of the service's threads
AROUND = 51  # answers, of which the median is what is usual then
SHOWN = (50.0, 90.0, 99.0)  # percentiles
STALL = 3e-4  # seconds by which an answer is late that something else has held up


@dataclass(frozen=True)
class Machine:
    """A running service.

    Args:
        server: The service.
        place: Its place.
        pace: How fast its core is.
        alone: Whether it goes before all else on its core.
    """

    server: Server
    place: Place
    pace: Pace
    alone: bool

    def load(
        self,
        texts: Sequence[str],
        order: Sequence[int],
        *,
        due: Sequence[float] = (),
        connections: int = 1,
        seconds: float = 0.0,
    ) -> Record:
        """Load the service; return what was seen.

        Args:
            texts: The texts.
            order: Number of the text of each request.
            due: When each request is due; none for a closed loop.
            connections: Of a closed loop.
            seconds: Of a closed loop.
        """
        plan = Plan(
            port=self.server.port,
            bodies=[json.dumps({"text": text}) for text in texts],
            order=[int(place) for place in order],
            due=[float(time) for time in due],
            connections=connections,
            seconds=seconds,
            core=self.place.load_core,
        )
        before, stolen = self._threads(), _stolen()
        started, client, rows = _send(plan)
        used = {name: seconds - before[name] for name, seconds in self._threads().items()}
        seen = summarize(rows)
        ended = started + seen["seconds"]
        slowness = self.pace.slowness(started, ended)
        of_client = client / len(rows)  # of an open loop all that it polls
        core = {"slowness": slowness, "stolen": _stolen() - stolen}
        return seen | core | {"cpu": used, "client": of_client}

    def _threads(self) -> dict[str, float]:
        """Return the seconds of the event loop, the computing threads and all others so far."""
        process = self.server.process.pid
        used = {"loop": 0.0, "compute": 0.0, "other": 0.0}
        for thread in Path(f"/proc/{process}/task").iterdir():
            name = "compute" if _nice(thread) == NICE else "other"
            name = "loop" if int(thread.name) == process else name
            used[name] += int((thread / "schedstat").read_text().split()[0]) / 1e9
        return used


@contextmanager
def running(place: Place) -> Iterator[Machine]:
    """Give a machine whose service is ready."""
    with serving(gatewise("native"), place=place) as server, watching(place.core) as pace:
        threads = Path(f"/proc/{server.process.pid}/task").iterdir()
        alone = [_prefer(thread, loop=server.process.pid) for thread in threads]
        yield Machine(server, place, pace, all(alone))


def _prefer(thread: Path, *, loop: int) -> bool:
    number = int(thread.name)
    return take_precedence(number, priority=LOOP if number == loop else OTHERS)


def _nice(thread: Path) -> int:
    return int((thread / "stat").read_text().rpartition(")")[2].split()[16])


def _send(plan: Plan) -> tuple[float, float, Floats]:
    with tempfile.TemporaryDirectory() as scratch:
        wanted, results = Path(scratch) / "plan.json", Path(scratch) / "results.npz"
        plan.save(wanted)
        command = [sys.executable, "-m", "benchmarks.fleet.load", str(wanted), str(results)]
        subprocess.run(command, cwd=ROOT, check=True, start_new_session=True)
        with np.load(results) as found:
            return float(found["started"]), float(found["used"]), found["rows"]


def summarize(rows: Floats) -> Record:
    """Return the figures of requests, from rows as `load` has them. Times are in milliseconds."""
    due, sent, answered, status = rows.T
    good = status == OK
    taken = (answered - due)[good]
    counts = {str(int(each)): int(np.sum(status == each)) for each in np.unique(status)}
    return {
        "requests": len(rows),
        "statuses": counts,
        "seconds": float(np.nanmax(answered)),
        "rate": float(np.sum(good) / np.nanmax(answered)),
        "mean": float(taken.mean() * 1e3),
        "percentiles": dict(
            zip(map(str, SHOWN), np.percentile(taken * 1e3, SHOWN).tolist(), strict=True)
        ),
        "late_p99": float(np.percentile((sent - due) * 1e3, 99)),
        "stalls": find_stalls(taken),
    }


def find_stalls(taken: Floats) -> list[float]:
    """Return by how many seconds answers are later than usual, of those that are markedly so.

    It says something only where each request is alone, and all are much alike.
    """
    if len(taken) < AROUND:
        return []
    padded = np.pad(taken, AROUND // 2, mode="edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, AROUND), axis=1)
    late = taken - usual
    return [round(float(each), 6) for each in late[late > STALL + 0.3 * usual]]


def _stolen() -> float:
    """Return the seconds that the host has given to others, of all cores."""
    return int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]) / 100
