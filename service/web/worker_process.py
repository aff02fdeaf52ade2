"""One worker: how its parent starts and sees it, and what it does."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from service.ending import end_process
from service.logs import set_up_logs
from service.settings import Settings
from service.web.orders import Orders

REAPED_SECONDS = 5.0  # in which the status of an ended worker is known, if it ever is
SIGNALS = (signal.SIGINT, signal.SIGTERM)  # that end the service

# Workers that are forked share what they have imported. The process that forks them has no threads,
# whose locks a child would find locked for ever.
if sys.platform == "linux":
    _context = multiprocessing.get_context("forkserver")
else:  # forked processes are not safe everywhere
    _context = multiprocessing.get_context("spawn")


class WorkerProcess:
    """A worker as its parent sees it, by a line between the two that closes when either ends.

    What forked the worker may end before it, and is then taken for dead by `multiprocessing` with
    all that it forked. The line closes only with the worker itself.

    Args:
        process: The process.
        line: The parent's end of the line.
    """

    def __init__(self, process: BaseProcess, line: "Connection[bytes, bytes]") -> None:
        assert process.pid is not None
        self.pid = process.pid
        self.sentinel = line  # becomes readable when the worker ends, which itself writes nothing
        self._process = process

    def is_alive(self) -> bool:
        """Whether the worker has not ended. Of one that has, the status is known from then on."""
        if not self.sentinel.poll():
            return True
        self._process.join(REAPED_SECONDS)
        return False

    @property
    def exitcode(self) -> int | None:
        """Status of a worker that has ended, negative for a signal; 255 if nobody knows it."""
        return self._process.exitcode

    def pass_on(self, number: int) -> None:
        """Tell the worker of a signal that its parent got."""
        try:
            self.sentinel.send_bytes(bytes([number]))
        except OSError:  # it has just ended
            return

    def kill(self) -> None:
        """End the worker at once."""
        if self.is_alive():
            os.kill(self.pid, signal.SIGKILL)


def start_worker(settings: Settings, sockets: Sequence[socket.socket]) -> WorkerProcess:
    """Start a process that serves.

    Raises:
        OSError, EOFError: The system has no room for one more.
    """
    if sys.platform == "linux":
        _keep_fork_server()
    ours, theirs = _context.Pipe()
    with theirs:
        process = _context.Process(target=_work, args=(settings, sockets, theirs))
        process.start()
    return WorkerProcess(process, ours)


def _keep_fork_server() -> None:
    """Start the process that forks workers, unless it runs.

    It takes no signals: systemd, for one, sends them to all processes of a service, and workers
    need its help until they have drained. It ends when all others have.
    """
    forkserver.set_forkserver_preload(["__main__", "service.web.preload"])
    resource_tracker.ensure_running()  # which would let signals through again
    with _holding_signals():  # a new process inherits that
        forkserver.ensure_running()


@contextmanager
def _holding_signals() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(
    settings: Settings, sockets: list[socket.socket], line: "Connection[bytes, bytes]"
) -> None:
    """Serve, in a process of its own, until told to end or left alone."""
    signal.signal(signal.SIGINT, end_process)  # without waiting for threads, as SIGTERM does
    if sys.platform == "linux":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # what forked us holds them
    set_up_logs(settings.log)
    from service.web.server import make_server  # which the process that watches does not need

    orders = Orders(line)
    threading.Thread(target=orders.follow, daemon=True).start()
    server = make_server(settings, orders=orders)
    server.state.catalog.refresh()  # before it takes what another worker could have answered
    server.run(sockets=sockets)
