"""Where fits run: one after the other in this process, or side by side on a Ray cluster.

The results are the same. A fit depends on nothing but what it is given, its seeds among it, and
computes with one thread on a cluster.
"""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from models import __version__
from models.ray_cluster import ClusterError, connected, raise_cause
from training.run import Run, start_repeatably
from training.workspace.interrupt import Interrupted

ONE_THREAD = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
"""Environment of a process that fits on one core; TensorFlow reads it when it starts."""
REPEATS = 10  # of a fit whose machine is lost

Work = Callable[..., Any]
"""What is computed: takes what all calls share, then what it is given. Has to be importable."""


class Started(Protocol):
    """A call whose result may still have to be computed."""

    def result(self) -> Any:
        """Return the result, or raise what the call raised."""


class Workers(Protocol):
    """Compute calls."""

    def share(self, value: Any) -> Any:
        """Return what stands for a value that many calls take first."""

    def start(self, work: Work, shared: Any, *given: Any) -> Started:
        """Start a call of `work(value, *given)`."""

    def by_completion(self, started: Sequence[Started]) -> Iterator[Started]:
        """Yield calls in the order in which they should be asked for their results."""


class ThisProcess:
    """Computes a call when its result is asked for."""

    def share(self, value: Any) -> Any:
        """See Workers."""
        return value

    def start(self, work: Work, shared: Any, *given: Any) -> Started:
        """See Workers."""
        return _Call(lambda: work(shared, *given))

    def by_completion(self, started: Sequence[Started]) -> Iterator[Started]:
        """See Workers; the order is that of their start."""
        return iter(started)


class _Call:
    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute = compute

    def result(self) -> Any:
        """See Started."""
        return self._compute()


class Cluster:
    """Computes calls side by side, each on a core of a Ray cluster.

    Args:
        ray: The module, connected.
        seed: Seed of each process before its first fit.
    """

    def __init__(self, ray: Any, *, seed: int) -> None:
        self._ray = ray
        self._seed = seed
        self._remote = ray.remote(num_cpus=1, max_retries=REPEATS)(_compute)

    def share(self, value: Any) -> Any:
        """See Workers; each machine gets the value once."""
        return self._ray.put(value)

    def start(self, work: Work, shared: Any, *given: Any) -> Started:
        """See Workers."""
        reference = self._remote.remote(work, shared, given, release=__version__, seed=self._seed)
        return _RemoteCall(self._ray, reference)

    def by_completion(self, started: Sequence[Started]) -> Iterator[Started]:
        """See Workers."""
        calls = {each.reference: each for each in started if isinstance(each, _RemoteCall)}
        waiting = list(calls)
        while waiting:
            with _interruptible():
                done, waiting = self._ray.wait(waiting)
            yield from (calls[reference] for reference in done)


class _RemoteCall:
    def __init__(self, ray: Any, reference: Any) -> None:
        self._ray = ray
        self.reference = reference

    def result(self) -> Any:
        """See Started."""
        try:
            with _interruptible():
                return self._ray.get(self.reference)
        except Exception as error:
            raise_cause(error, doing="a fit failed on the cluster")


ALONE = ThisProcess()


@contextmanager
def open_workers(address: str | None, *, seed: int) -> Iterator[Workers]:
    """Give what computes fits, while entered.

    Args:
        address: Address of a Ray cluster; None for this process.
        seed: Seed of each process before its first fit.

    Raises:
        ClusterError: Ray is missing, or the cluster cannot be used.
    """
    if address is None:
        yield ALONE
        return
    with connected(address, runtime_env={"env_vars": ONE_THREAD}) as ray:
        yield Cluster(ray, seed=seed)


@contextmanager
def at_hand(run: Run) -> Iterator[Run]:
    """Give a run whose work folder is there; on a machine without it in a place for the time."""
    if run.work.is_dir():
        yield run
        return
    with tempfile.TemporaryDirectory(prefix="gatewise-") as scratch:
        yield replace(run, work=Path(scratch))


def _compute(work: Work, shared: Any, given: Sequence[Any], *, release: str, seed: int) -> Any:
    """Compute a call in a process of the cluster."""
    if release != __version__:
        raise ClusterError(f"{os.uname().nodename} has Gatewise {__version__}, not {release}")
    start_repeatably(seed)
    return work(shared, *given)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a run on a cluster as it ends a fit in this process."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise Interrupted(signal.SIGINT) from interrupt
