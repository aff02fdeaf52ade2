"""Several processes that answer on the same sockets, where one process cannot use all cores."""

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Pipe, wait
from tempfile import TemporaryDirectory
from types import FrameType

from models.errors import GatewiseError
from service.engines.native import tables
from service.metrics import DIRECTORY, count_death, forget_process
from service.rollout.tally import keep_tallies
from service.settings import Settings
from service.web.access import rates
from service.web.access.exposure import check_access
from service.web.listening import listen
from service.web.worker_process import SIGNALS, WorkerProcess, start_worker

SETTLED_SECONDS = 10.0  # a worker that lives so long has started well
LONGEST_PAUSE = 30.0  # seconds before a worker that died early is started again
MOST_TRIES = 5  # of each worker, if none has ever started well

_log = logging.getLogger(__name__)


class CannotStart(GatewiseError):
    """The workers lack something, or none lives long enough to answer."""


def run_workers(settings: Settings) -> None:
    """Serve with several processes until SIGINT or SIGTERM; one that dies is started again.

    Each opens the versions itself. Their largest tables are mapped from the same files, so the
    system keeps them once, and so are the modules that they import.

    Raises:
        CannotListen: The port is taken, or the host is none of this machine.
        CannotStart: There is no place for their counts, or no worker has ever started well.
        Exposed: Other machines could ask without a key.
        BadKeys: The file of API keys cannot be read.
    """
    check_access(settings)
    with ExitStack() as stack:
        sockets = [stack.enter_context(each) for each in listen(settings.host, settings.port)]
        # They are read when the workers import the metrics and load a version.
        os.environ[DIRECTORY] = stack.enter_context(_make_folder("count in"))
        os.environ[tables.SHARED] = stack.enter_context(_make_folder("share tables in"))
        os.environ[rates.SHARED] = stack.enter_context(_make_folder("share rates in"))
        start = partial(start_worker, settings, sockets)
        Workers(start, count=settings.workers).run()


def _make_folder(purpose: str) -> TemporaryDirectory[str]:
    """Return a new folder for all workers."""
    try:
        return TemporaryDirectory(prefix="gatewise-")
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotStart(
            f"workers need a temporary folder to {purpose}: {reason}; "
            "mount a writable /tmp, set TMPDIR, or set GATEWISE_WORKERS=1"
        ) from None


@dataclass
class Worker:
    """The place of one worker: its process, or when another is started in it.

    Args:
        process: None while none runs.
        started: When its last process was started, on the clock `time.monotonic`.
        due: When the next one is to be started.
        failures: Processes in a row that died early.
    """

    process: WorkerProcess | None = None
    started: float = 0.0
    due: float = 0.0
    failures: int = 0


class Workers:
    """Keeps worker processes running until a signal ends them.

    A worker that dies is replaced at once. One that dies early, again and again, is replaced after
    pauses that double. If no worker has ever started well, that ends the service: whoever started
    it can see that and act. Later the others still answer, and a new version that kills those who
    load it may go again, so then there is no end to the tries.

    Args:
        start: Starts a process that serves.
        count: Processes to keep.
    """

    def __init__(self, start: Callable[[], WorkerProcess], *, count: int) -> None:
        self._start = start
        self._workers = [Worker() for _ in range(count)]
        self._signals: list[int] = []  # that have not been passed on
        self._ending = self._settled = False
        # A signal that comes while we wait has to end the waiting.
        self._woken, self._waker = Pipe(duplex=False)

    def run(self) -> None:
        """Start the workers, and return when they have ended after a signal.

        Raises:
            CannotStart: No worker has ever started well.
        """
        for number in SIGNALS:
            signal.signal(number, self._take_signal)
        try:
            while self._running or not self._ending:
                self._pass_signals_on()
                self._start_due()
                self._wait()
                for worker, process in self._running:
                    self._bury_if_dead(worker, process)
        finally:
            for _, process in self._running:  # where we give up; else all have ended
                process.kill()

    @property
    def _running(self) -> list[tuple[Worker, WorkerProcess]]:
        return [(each, each.process) for each in self._workers if each.process is not None]

    def _take_signal(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal. What it means is done by the loop, which may be starting a process now."""
        self._ending = True
        self._signals.append(number)
        self._waker.send_bytes(b"1")

    def _pass_signals_on(self) -> None:
        """Tell the workers to end; a second signal ends each at once."""
        while self._signals:
            number = self._signals.pop(0)
            for _, process in self._running:
                process.pass_on(number)

    def _start_due(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.process is None and worker.due <= now and not self._ending:
                self._start_in(worker)

    def _start_in(self, worker: Worker) -> None:
        try:
            worker.process, worker.started = self._start(), time.monotonic()
        except (EOFError, OSError) as error:  # the next try may succeed, and the others answer
            reason = str(error) or "what forks it has ended"
            self._plan_next(worker, how=f"could not be started ({reason})", lived=0.0)

    def _wait(self) -> None:
        """Wait until a worker ends, a signal comes, or a worker is due."""
        sentinels = [process.sentinel for _, process in self._running]
        dues = [worker.due for worker in self._workers if worker.process is None]
        pause = min((due - time.monotonic() for due in dues), default=SETTLED_SECONDS)
        pause = SETTLED_SECONDS if self._ending else max(0.0, min(pause, SETTLED_SECONDS))
        if self._woken in wait([self._woken, *sentinels], timeout=pause):
            self._woken.recv_bytes()

    def _bury_if_dead(self, worker: Worker, process: WorkerProcess) -> None:
        lived = time.monotonic() - worker.started
        self._settled = self._settled or lived >= SETTLED_SECONDS
        if process.is_alive():
            return
        _forget(process.pid)
        worker.process = None
        if not self._ending:
            self._plan_next(worker, how=_describe(process), lived=lived)

    def _plan_next(self, worker: Worker, *, how: str, lived: float) -> None:
        """Decide when a worker is replaced, and say so."""
        count_death()
        worker.failures = 0 if lived >= SETTLED_SECONDS else worker.failures + 1
        if not self._settled and all(each.failures >= MOST_TRIES for each in self._workers):
            raise CannotStart(
                f"no worker has lived for {SETTLED_SECONDS:g} seconds in {MOST_TRIES} tries; "
                f"the last {how} after {lived:.1f} seconds"
            )
        pause = min(LONGEST_PAUSE, 2.0 ** (worker.failures - 1)) if worker.failures else 0.0
        worker.due = time.monotonic() + pause
        again = f", {worker.failures} times in a row" if worker.failures > 1 else ""
        when = f"in {pause:g} seconds" if pause else "now"
        _log.error("a worker %s after %.1f seconds%s; starting another %s", how, lived, again, when)


def _forget(pid: int) -> None:
    """Drop what a dead worker had open; what it counted stays."""
    try:
        forget_process(pid)
        keep_tallies(pid)
    except OSError as error:
        _log.warning("what a dead worker counted stays in files of its own: %s", error)


def _describe(process: WorkerProcess) -> str:
    """Return how a process ended."""
    code = process.exitcode or 0
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"was ended by signal {-code}"
