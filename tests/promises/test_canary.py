"""A bad canary goes by itself, a good one takes over, and equal ones are left in peace.

How often the rule is wrong is simulated in tests/service/rollout/test_rule.py.
"""

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.registry import LABELS_LOCK, Store
from models.steering import give_label
from models.version_labels import Verdict
from models.versions import Version
from tests.e2e.server import ROOT, Server, running
from tests.effort import Effort

pytestmark = pytest.mark.e2e

SHIPPED = Store(ROOT / "models" / "store")
NAME = "films"
LONG = 60.0  # seconds, for what takes a moment on a quiet machine
OPINIONS = {
    "pos": ["wonderful", "superb", "moving", "brilliant", "delightful", "perfect"],
    "neg": ["awful", "dull", "boring", "terrible", "tedious", "worst"],
}
FILLER = [
    *("the", "plot", "was", "an", "evening", "with", "actors", "and", "music", "it", "is"),
    *("a", "story", "about", "people", "who", "travel", "in", "winter"),
]


def make_texts(seed: int) -> Iterator[str]:
    """Yield reviews that were never written, half of them good."""
    draw = random.Random(seed)
    while True:
        words = draw.choices(FILLER, k=draw.randint(5, 40))
        words += draw.choices(OPINIONS[draw.choice(["pos", "neg"])], k=3)
        draw.shuffle(words)
        yield " ".join(words)


def publish(store: Store, cell: str, **changes: Any) -> Version:
    """Publish a shipped version as the next one of a model; its golden predictions stay true."""
    shipped = SHIPPED.resolve(f"imdb-{cell}")
    with store.staging(NAME) as folder:
        subprocess.run(["cp", "-r", f"{shipped.path}/.", folder], check=True)
        metadata = shipped.metadata.model_copy(update={"name": NAME} | changes)
        return store.publish(folder, metadata=metadata)


def make_store(folder: Path, *, bad: bool, **parts: float) -> Store:
    """Return a store with a GRU that is stable, and an LSTM on trial, which says the opposite."""
    store = Store(folder)
    give_label(store, publish(store, "gru"), "stable")
    swapped = {"labels": ("pos", "neg")} if bad else {}
    give_label(store, publish(store, "lstm", **swapped), "canary", **parts)
    return store


def ask(server: Server, texts: Iterator[str], *, requests: int, until: Callable[[], bool]) -> int:
    """Ask until something is true, or so many times; return how often. All must be answered."""
    for number in range(requests):
        if until():
            return number
        status, answer = server.predict(text=next(texts))
        assert status == 200, answer
    return requests


def wait_until(true: Callable[[], bool], *, what: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def told(server: Server) -> dict[str, Any]:
    """Return what a worker says of the version on trial, or of the last one."""
    found: dict[str, Any] = server.request("GET", f"/models/{NAME}")[1]["rollouts"][0]
    return found


def only_verdict(store: Store) -> Verdict:
    (verdict,) = store.labels(NAME).verdicts
    return verdict


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_canary_is_rolled_back_within_500_requests(
    workers: int, tmp_path: Path, effort: Effort
) -> None:
    for seed in range(effort(short=1, long=20)):
        store = make_store(tmp_path / str(seed), bad=True, share=0.1)
        texts = make_texts(seed)

        def gone(store: Store = store) -> bool:
            return store.labels(NAME).versions == {"stable": 1}

        with running(store.root, GATEWISE_WORKERS=str(workers)) as server:
            server.wait_until_started(workers)
            ask(server, texts, requests=500, until=gone)
            # A comparison comes after its answer. Here nothing more is asked.
            wait_until(gone, what=lambda server=server: told(server))
            wait_until(lambda server=server: "at" in told(server), what=lambda: "".join(server.log))

            def only_stable(server: Server = server, texts: Iterator[str] = texts) -> bool:
                answers = [server.predict(text=next(texts))[1]["version"] for _ in range(100)]
                return set(answers) == {1}

            wait_until(only_stable, what=lambda: "".join(server.log))  # at the other worker too
            assert told(server)["verdict"] == "rolled_back"
        assert "it flips" in only_verdict(store).why
        lines = [line for line in server.log if "films:2 (canary) is rolled back" in line]
        assert len(lines) == 1, lines


@pytest.mark.parametrize("workers", [1, 2])
def test_a_good_canary_is_promoted(workers: int, tmp_path: Path, effort: Effort) -> None:
    for seed in range(effort(short=1, long=10)):
        store = make_store(tmp_path / str(seed), bad=False, share=0.9)

        def promoted(store: Store = store) -> bool:
            return store.labels(NAME).versions == {"stable": 2}

        settings = {"GATEWISE_WORKERS": str(workers), "GATEWISE_ROLLOUT": "promote"}
        with running(store.root, **settings) as server:
            server.wait_until_started(workers)
            texts = make_texts(seed)
            asked = ask(server, texts, requests=5_000, until=promoted)
            wait_until(promoted, what=lambda server=server: told(server))
            assert asked > 300  # else errors of 1 % could not be known
        assert only_verdict(store).figures["canary_failed"] == 0


def test_a_store_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    """Both workers hold to the verdict, also one that is started after it."""
    store = make_store(tmp_path, bad=True, share=0.5)
    (tmp_path / NAME / LABELS_LOCK).mkdir()  # so that root cannot make the lock either
    texts = make_texts(1)
    with running(tmp_path, GATEWISE_WORKERS="2") as server:
        server.wait_until_started(2)

        def decided() -> bool:
            return told(server)["verdict"] == "rolled_back"

        ask(server, texts, requests=500, until=decided)
        wait_until(decided, what=lambda: told(server))
        time.sleep(2)  # the pause between two looks, in which the other one follows
        before = told(server)
        kill_a_worker(server)
        server.wait_until_started(3)
        time.sleep(2)
        found = {server.predict(text=next(texts))[1]["version"] for _ in range(100)}
        assert found == {1}
        assert [told(server) for _ in range(10)] == [before] * 10
        assert 'verdict="rolled_back",version="2"' in server.request_text("/metrics")
    assert store.labels(NAME).versions == {"stable": 1, "canary": 2}
    assert sum("only this service holds to it" in line for line in server.log) >= 1


def kill_a_worker(server: Server) -> None:
    """Kill a process that answers, as the kernel does where memory runs out."""
    children = subprocess.run(
        ["pgrep", "--parent", str(server.process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    workers = [
        worker
        for child in children
        for worker in subprocess.run(
            ["pgrep", "--parent", child], capture_output=True, text=True, check=False
        ).stdout.split()
    ]
    subprocess.run(["kill", "-KILL", workers[0]], check=True)


DATASET = ROOT.parent / "shared" / "data" / "rotten_tomatoes" / "test.parquet"


@pytest.mark.skipif(not DATASET.is_file(), reason=f"needs {DATASET}")
def test_two_good_versions_are_left_in_peace_on_texts_of_another_kind(tmp_path: Path) -> None:
    """They make three times as many errors there as they were tested to, and flip 13 %."""
    from pyarrow import parquet

    store = make_store(tmp_path, bad=False, shadow=1.0)
    texts = iter(parquet.read_table(DATASET)["text"].to_pylist())
    with running(tmp_path) as server:
        ask(server, texts, requests=400, until=lambda: False)
        assert told(server)["verdict"] in ("wait", "promote"), told(server)
    assert store.labels(NAME).versions == {"stable": 1, "canary": 2}
