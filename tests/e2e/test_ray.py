"""Scoring and serving on a Ray cluster, with all its processes. See also `benchmarks.ray`."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
import pyarrow
import pyarrow.parquet
import pytest

from tests.e2e.ray_nodes import ROOT, Nodes, ray_nodes

pytest.importorskip("ray")
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.unmeasured, pytest.mark.timeout(600)]

ROWS = 30_000
SENTENCES = ("An unforgettable film.", "dull, long and boring", "it was fine I guess")


def start(*command: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith(("GATEWISE_", "COVERAGE_"))},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> str:
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def test_a_cluster(tmp_path: Path) -> None:
    """All on one cluster, for it takes long to start."""
    with ray_nodes() as nodes:
        a_node_is_killed_and_no_row_is_lost(nodes, tmp_path)
        replicas_are_replaced_without_a_failed_request(nodes)


def a_node_is_killed_and_no_row_is_lost(nodes: Nodes, folder: Path) -> None:
    (folder / "in").mkdir()
    for half in (0, 1):
        lines = [
            json.dumps({"id": n, "text": f"{SENTENCES[n % 3]} {n}"})
            for n in range(half * ROWS // 2, (half + 1) * ROWS // 2)
        ]
        (folder / "in" / f"{half}.jsonl").write_text("\n".join(lines) + "\n")
    score = ("service", "score", "--model", "imdb-gru", "--probabilities")
    alone = [
        start(*score, "--in", folder / "in" / f"{half}.jsonl", "--out", folder / f"{half}.parquet")
        for half in (0, 1)
    ]
    for process in alone:
        finish(process)
    out, parts = folder / "out", folder / "out.parts"
    beside = start(*score, "--in", folder / "in", "--out", out, "--ray", nodes.address)
    while beside.poll() is None and not any(parts.glob("*.parquet")):
        time.sleep(0.02)
    nodes.kill()
    assert f"{ROWS:,} rows" in finish(beside)
    manifest = json.loads((out / "_manifest.json").read_text())
    assert manifest["rows"] == ROWS
    names = [out / part for source in manifest["sources"] for part in source["parts"]]
    assert {path.name for path in names} == {path.name for path in out.glob("*.parquet")}
    found = pyarrow.concat_tables(map(pyarrow.parquet.read_table, names))
    wanted = pyarrow.concat_tables(
        [pyarrow.parquet.read_table(folder / f"{half}.parquet") for half in (0, 1)]
    )
    assert found.equals(wanted)
    again = start(*score, "--in", folder / "in", "--out", out, "--ray", nodes.address)
    _, said = again.communicate(timeout=120)
    assert (again.returncode, said) == (2, f"error: {out} is there already\n")


def replicas_are_replaced_without_a_failed_request(nodes: Nodes) -> None:
    port = 18_765
    url = f"http://127.0.0.1:{port}"
    deploy = ("service.ray", "--ray", nodes.address, "--port", port, "--model", "imdb-gru")
    finish(start(*deploy))
    wanted = post(f"{url}/predict", text=SENTENCES[0])
    assert wanted["label"] == "pos"
    begun = post(f"{url}/stream", text="An unforget")
    failed: list[Any] = []
    asked, over = threading.Event(), threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                if post(f"{url}/predict", text=SENTENCES[0]) != wanted:
                    failed.append("another answer")
            except httpx2.HTTPError as error:
                failed.append(error)
            asked.set()

    client = threading.Thread(target=ask)
    client.start()
    finish(start(*deploy))
    over.set()
    client.join()
    assert asked.is_set()
    assert failed == []
    ended = post(f"{url}/stream", text="table film.", state=begun["state"], final=True)
    assert ended["prediction"]["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-5)


def post(url: str, **body: object) -> Any:
    answer = httpx2.post(url, json=body, timeout=60, headers={"X-Deadline-Ms": "30000"})
    answer.raise_for_status()
    return answer.json()
