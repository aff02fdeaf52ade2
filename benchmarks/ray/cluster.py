"""Two nodes of a Ray cluster on this machine."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.ray_cluster import import_ray

ROOT = Path(__file__).resolve().parents[2]


class Nodes:
    """A cluster of a first node, and others that can be killed.

    Args:
        cluster: Ray's cluster.
        others: Its other nodes.
    """

    def __init__(self, cluster: Any, others: list[Any]) -> None:
        self._cluster = cluster
        self._others = others

    @property
    def address(self) -> str:
        """The address for `--ray`."""
        return str(self._cluster.address)

    def kill(self) -> None:
        """Kill the last node with all its processes, without a word to them."""
        self._cluster.remove_node(self._others.pop(), allow_graceful=False)


@contextmanager
def nodes(count: int, *, cores: int = 1) -> Iterator[Nodes]:
    """Give a cluster of nodes with so many cores each, while entered; all listen on 127.0.0.1."""
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # keeps all of it on 127.0.0.1
    os.environ |= {"RAY_worker_niceness": "0"}  # as alone, where other programs run beside
    import_ray()
    from ray.cluster_utils import Cluster

    each = {"num_cpus": cores, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    each["object_store_memory"] = 256 * 1024**2
    cluster = Cluster(initialize_head=True, head_node_args=each)
    try:
        yield Nodes(cluster, [cluster.add_node(**each) for _ in range(count - 1)])
    finally:
        cluster.shutdown()


def run_command(
    *command: object, cores: Sequence[int] = (), **environment: str
) -> tuple[float, str]:
    """Run a command of this checkout; return its seconds and what it printed to standard error.

    Args:
        command: What follows `python -m`.
        cores: Cores that it may use; all if empty.
        environment: Variables to set.

    Raises:
        SystemExit: It failed.
    """
    started = time.monotonic()
    bound = ["taskset", "-c", ",".join(map(str, cores))] if cores else []
    done = subprocess.run(
        [*bound, sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    seconds = time.monotonic() - started
    said = done.stderr.strip().rpartition("\n")[2]
    print(f"{seconds:.1f} s: {' '.join(map(str, command))}: {said}", file=sys.stderr)  # noqa: T201
    return seconds, done.stderr
