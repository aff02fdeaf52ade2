"""Several processes that answer on one socket, where one process cannot use all cores."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from tempfile import TemporaryDirectory
from types import FrameType

from service.metrics import DIRECTORY
from service.settings import Settings
from service.web.server import make_server

BACKLOG = 2_048  # connections that wait to be accepted
PAUSE_SECONDS = 1.0  # before a worker that ended is started again

_log = logging.getLogger(__name__)
_spawn = multiprocessing.get_context("spawn")


def run_workers(settings: Settings) -> None:
    """Serve with several processes until SIGINT or SIGTERM; one that dies is started again.

    Each opens the versions itself. Their largest tables are mapped from the same files, so the
    system keeps them once.
    """
    with _listen(settings.host, settings.port) as listening, TemporaryDirectory() as metrics:
        os.environ[DIRECTORY] = metrics  # read when the workers import the metrics
        Workers(settings, listening).run()


def _listen(host: str, port: int) -> socket.socket:
    """Return the listening socket, whose connections wait until a worker is ready.

    Where it cannot be opened, the process ends with one line.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        _log.error("cannot listen on %s port %d: %s", host, port, error.strerror)
        sys.exit(1)
    _log.info("running on http://%s:%d", host, listening.getsockname()[1])
    return listening


class Workers:
    """Keeps worker processes running.

    Args:
        settings: Of each.
        listening: The socket that they share.
    """

    def __init__(self, settings: Settings, listening: socket.socket) -> None:
        self._settings = settings
        self._listening = listening
        self._processes: list[SpawnProcess] = []
        self._ending = False

    def run(self) -> None:
        """Start the workers, and return when they have ended after a signal."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        self._processes = [self._start() for _ in range(self._settings.workers)]
        while self._processes:
            wait([process.sentinel for process in self._processes], timeout=1)
            self._processes = [process for process in self._processes if process.is_alive()]
            missing = 0 if self._ending else self._settings.workers - len(self._processes)
            for _ in range(missing):
                _log.error("a worker ended; starting another")
                time.sleep(PAUSE_SECONDS)
                self._processes.append(self._start())

    def _start(self) -> SpawnProcess:
        process = _spawn.Process(target=_work, args=(self._settings, self._listening))
        process.start()
        return process

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True
        for process in self._processes:
            process.terminate()


def _work(settings: Settings, listening: socket.socket) -> None:
    """Serve, in a process of its own, until told to end or left alone."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    threading.Thread(target=_follow_parent, daemon=True).start()
    server = make_server(settings)
    server.state.catalog.refresh()  # before it takes what another worker could have answered
    server.run(sockets=[listening])


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
