"""A Ray cluster of two nodes in a process of its own, whose second node can be killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Nodes:
    """The cluster; `address` is that for `--ray`."""

    def __init__(self, process: "subprocess.Popen[str]", address: str) -> None:
        self._process = process
        self.address = address

    def kill(self) -> None:
        """Kill the second node with all its processes, without a word to them."""
        assert self._process.stdin is not None
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()


@contextmanager
def ray_nodes() -> Iterator[Nodes]:
    """Give a cluster of a node with two cores and a second one with one core, while entered."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.ray_nodes"],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "COVERAGE_"))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = next(line for line in process.stdout if line.startswith("address "))
        yield Nodes(process, address.split()[1])
    finally:
        process.stdin.close()  # which ends it, and the cluster
        process.wait(timeout=120)
        process.stdout.close()


def main() -> None:
    """Start the cluster, say where it is, and end with standard input."""
    from benchmarks.ray.cluster import nodes

    with nodes(2, cores=2) as cluster:
        print("address", cluster.address, flush=True)  # noqa: T201
        for line in sys.stdin:
            if line.strip() == "kill":
                cluster.kill()


if __name__ == "__main__":
    main()
