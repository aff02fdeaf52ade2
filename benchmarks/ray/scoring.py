"""Scores many texts with and without a cluster, and with a node that is killed on the way."""

import csv
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet

from benchmarks.ray.cluster import nodes, run_command

MODEL = "imdb-gru"
KILLED_AFTER = 0.3  # of the parts


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What was measured.

    Args:
        alone: Seconds of `score`, each run.
        on_ray: Seconds of `score --ray` on a cluster that is up, each run.
        killed: Seconds of the run whose second node was killed.
        killed_at: Parts that were there then.
        rows: Rows in the result of that run.
        repeated: Ids that occur in it more than once.
        same: Whether all its cells are those without a cluster.
    """

    alone: list[float]
    on_ray: list[float]
    killed: float
    killed_at: int
    rows: int
    repeated: int
    same: bool

    @property
    def overhead(self) -> float:
        """Time on a cluster as a share of that without, less one."""
        return statistics.median(self.on_ray) / statistics.median(self.alone) - 1


def measure(sentences: Sequence[str], *, texts: int, runs: int) -> Scored:
    """Score so many texts: the sentences again and again, each with a number."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "texts.csv"
        with source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "text"])
            writer.writerows((n, f"{sentences[n % len(sentences)]} {n}") for n in range(texts))
        asked = ["--in", source, "--model", MODEL, "--probabilities"]
        alone, on_ray = [], []
        with nodes(2) as cluster:
            for run in range(runs):  # in turn, so that both see the same disturbances
                target = folder / f"alone-{run}.parquet"
                alone.append(_score(*asked, "--out", target, "--threads", 2))
                on_ray.append(
                    _score(*asked, "--out", folder / f"ray-{run}", "--ray", cluster.address)
                )
            target = folder / "killed"
            killer = _Killer(cluster.kill, target.with_name("killed.parts"), rows=texts)
            killer.start()
            killed = _score(*asked, "--out", target, "--ray", cluster.address)
            killer.join()
        wanted = pyarrow.parquet.read_table(folder / "alone-0.parquet")
        found = read_result(target)
        ids = found["id"].to_pylist()
        return Scored(
            alone=alone,
            on_ray=on_ray,
            killed=killed,
            killed_at=killer.parts,
            rows=len(ids),
            repeated=len(ids) - len(set(ids)),
            same=found.equals(wanted),
        )


def _score(*options: object) -> float:
    seconds, _ = run_command("service", "score", *options)
    return seconds


def read_result(folder: Path) -> pyarrow.Table:
    """Return the rows of a result in the order of the manifest."""
    manifest = json.loads((folder / "_manifest.json").read_text())
    parts = [folder / part for source in manifest["sources"] for part in source["parts"]]
    return pyarrow.concat_tables([pyarrow.parquet.read_table(part) for part in parts])


class _Killer(threading.Thread):
    """Kills a node once a share of the parts is there.

    Args:
        kill: Kills it.
        folder: Folder of the parts.
        rows: Rows in all.
    """

    def __init__(self, kill: Callable[[], None], folder: Path, *, rows: int) -> None:
        super().__init__(daemon=True)
        self._kill = kill
        self._folder = folder
        self._due = max(1, int(KILLED_AFTER * rows / 4_096))
        self.parts = 0

    def run(self) -> None:
        """Wait, then kill."""
        while self.parts < self._due:
            self.parts = len(list(self._folder.glob("*.parquet")))
            time.sleep(0.05)
        self._kill()
