"""Versions go to the Hub and to buckets and come back, whatever happens on the way."""

import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from models.registry import Store
from models.versions import CARD, DIGEST, METADATA, SAVED_MODEL
from tests.effort import Effort
from tests.models.remotes.places import (
    HubServer,
    Server,
    relist,
    serve_google,
    serve_hub,
    serve_s3,
    set_access,
)
from tests.models.remotes.worker import SHORT, Worker, run_worker
from tests.training.loader import ROOT, uncovered_environment
from tests.versions import publish

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SIZES = {"a": 300_000, "b": 300_000, "c": 3_000_000}  # the last one comes in several requests
LARGE = {
    f"assets.extra/report/{name}.html": random.Random(name).randbytes(size)
    for name, size in SIZES.items()
}
SIZE = sum(map(len, LARGE.values()))
RATE = 8e6  # bytes a second while something is killed
OVERHEAD = 200_000  # bytes of small files and of headers


@pytest.fixture(scope="module", params=["hub", "s3"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("huggingface")
    places: dict[str, AbstractContextManager[Any]] = {"hub": serve_hub(home), "s3": serve_s3()}
    with places[request.param] as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    running.clear()
    yield running
    running.wire.rate = None
    running.wire.silent.clear()
    running.wire.cut = False


@pytest.fixture(scope="module")
def worker(running: Server) -> Iterator[Worker]:
    with run_worker(**running.environment) as worker:
        yield worker


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("here")
    publish(root, name="small", others={CARD: b"# small\n"})
    publish(root, name="large", others=LARGE)
    return root


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def start(*arguments: object, server: Server, **environment: str) -> subprocess.Popen[str]:
    """Start a command in a process that may be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "models", *map(str, arguments)],
        cwd=ROOT,
        env=uncovered_environment(**server.environment | environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Any:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return json.loads(output)


def kill_on_the_way(process: subprocess.Popen[str], *, server: Server, after: int) -> bool:
    """Kill a command once so many bytes have gone; return whether it was still at work."""
    begun = server.wire.total
    while server.wire.total - begun < after and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.communicate()
    return process.returncode != 0


def test_the_same_bytes_come_back(server: Server, worker: Worker, here: Path, there: Path) -> None:
    pushed = worker.ask("push", "large", server.address, "--store", here)
    assert pushed["address"] == f"{server.address}@1"
    assert pushed["pushed"] is True
    pulled = worker.ask("pull", server.address, "--store", there)
    assert (pulled["model"], pulled["version"], pulled["pulled"]) == ("large", 1, True)
    assert pulled["sha256"] == pushed["sha256"]
    assert contents(there / "large") == contents(here / "large")
    before = server.wire.total
    assert worker.ask("push", "large", server.address, "--store", here)["pushed"] is False
    assert worker.ask("pull", server.address, "--store", there)["pulled"] is False
    assert server.wire.total - before < OVERHEAD


def test_labels_and_numbers(server: Server, worker: Worker, here: Path, there: Path) -> None:
    worker.ask("push", "small", f"{server.address}@stable", "--store", here)
    worker.ask("push", "large", f"{server.address}@2", "--store", here)
    assert worker.ask("pull", f"{server.address}@stable", "--store", there)["model"] == "small"
    pulled = worker.ask("pull", f"{server.address}@2", "--store", there)
    assert (pulled["model"], pulled["version"]) == ("large", 2)
    refused = worker.run("push", "large", f"{server.address}@1", "--store", here)
    assert refused.status == 2
    assert "is another version, and none is overwritten" in refused.line
    for missing in ("9", "canary"):
        refused = worker.run("pull", f"{server.address}@{missing}", "--store", there)
        assert refused.status == 2
        assert (
            "no such revision" in refused.line
            or f"no version {missing}" in refused.line
            or ("no version is canary" in refused.line)
        )


@pytest.mark.parametrize("name", ["assets.extra/report/b.html", SAVED_MODEL, METADATA])
def test_a_flipped_byte_is_refused(
    name: str, server: Server, worker: Worker, here: Path, there: Path
) -> None:
    worker.ask("push", "large", server.address, "--store", here)
    content = bytearray(server.read(name) or b"")
    content[len(content) // 2] ^= 1
    server.write(name, bytes(content))
    refused = worker.run("pull", server.address, "--store", there)
    assert refused.status == 1
    assert name in refused.line
    assert contents(there) == {}


def test_a_lying_list_is_refused(server: Server, worker: Worker, here: Path, there: Path) -> None:
    worker.ask("push", "large", server.address, "--store", here)
    manifest = server.read(METADATA) or b""
    lies: dict[str, bytes] = {
        "expected sha256 0000": relist(manifest, **{SAVED_MODEL: {"size": 7, "sha256": "0" * 64}}),
        "expected 8 bytes, found 7": relist(
            manifest, **{SAVED_MODEL: {"size": 8, "sha256": "0" * 64}}
        ),
        "is missing": relist(manifest, **{"not/there": {"size": 8, "sha256": "0" * 64}}),
        "is no name of a file": relist(manifest, **{"../out": {"size": 8, "sha256": "0" * 64}}),
        "at most": relist(manifest, **{"huge": {"size": 1 << 32, "sha256": "0" * 64}}),
        "not a metadata file": b"[" * 1000,
        "at most 1,048,576 bytes": manifest + b" " * (1 << 20),
    }
    for lie, content in lies.items():
        server.write(METADATA, content)
        server.write(DIGEST, hashlib.sha256(content).hexdigest().encode())
        refused = worker.run("pull", server.address, "--store", there)
        assert refused.status == 1, refused
        assert lie in refused.line
        assert contents(there) == {}, lie


def test_killed_pushes_are_gone_on_with(
    server: Server, worker: Worker, here: Path, there: Path, effort: Effort
) -> None:
    draw = random.Random()
    rounds = effort(short=2, long=12)
    server.wire.rate = 2 * RATE / rounds
    killed = 0
    for _ in range(rounds):
        after = draw.randrange(SIZE // 20, SIZE) // rounds
        push = start("push", "large", server.address, "--store", here, server=server)
        if not kill_on_the_way(push, server=server, after=after):
            break  # so much was there already that it has come to an end
        killed += 1
        refused = worker.run("pull", server.address, "--store", there)
        assert refused.status == 2, refused
        assert Store(there).names() == []
    assert killed >= max(1, rounds // 3)  # others may have been faster
    server.wire.settle()
    whole = sum(len(content) for name, content in LARGE.items() if server.has(name, content))
    before = server.wire.up
    worker.ask("push", "large", server.address, "--store", here)
    assert server.wire.up - before < SIZE - whole + OVERHEAD
    if isinstance(server, HubServer):  # each large file came whole once
        assert set(server.hub.uploads.values()) == {1}
        assert not server.hub.leaked
    worker.ask("pull", server.address, "--store", there)
    assert contents(there / "large") == contents(here / "large")


def test_killed_pulls_are_gone_on_with(
    server: Server, worker: Worker, here: Path, there: Path, effort: Effort
) -> None:
    worker.ask("push", "large", server.address, "--store", here)
    draw = random.Random()
    rounds = effort(short=2, long=12)
    server.wire.rate = 2 * RATE / rounds
    killed = 0
    for _ in range(rounds):
        after = draw.randrange(SIZE // 20, SIZE) // rounds
        pull = start("pull", server.address, "--store", there, server=server)
        if not kill_on_the_way(pull, server=server, after=after):
            break
        killed += 1
        assert Store(there).names() == []
    assert killed >= max(1, rounds // 3)  # others may have been faster
    server.wire.settle()
    arrived = sum(map(len, contents(there).values()))
    before = server.wire.down
    worker.ask("pull", server.address, "--store", there)
    assert server.wire.down - before < SIZE - arrived + OVERHEAD
    assert contents(there / "large") == contents(here / "large")


def test_two_pulls_at_once(server: Server, worker: Worker, here: Path, there: Path) -> None:
    worker.ask("push", "large", server.address, "--store", here)
    server.wire.rate = RATE
    before = server.wire.down
    other = start("pull", server.address, "--json", "--store", there, server=server)
    found = [worker.ask("pull", server.address, "--store", there), finish(other)]
    assert sorted(each["pulled"] for each in found) == [False, True]
    assert {each["version"] for each in found} == {1}
    assert server.wire.down - before < SIZE + OVERHEAD
    assert contents(there / "large") == contents(here / "large")


def test_a_place_that_falls_silent(server: Server, worker: Worker, here: Path, there: Path) -> None:
    worker.ask("push", "large", server.address, "--store", here)
    server.wire.silent.set()
    for command in (("pull", "--store", there), ("push", "small", "--store", here)):
        silent = worker.run(*command, server.address, silence=SHORT)
        assert silent.status == 3, silent
        assert "no answer" in silent.line
    assert contents(there) == {}
    server.wire.silent.clear()
    assert worker.ask("pull", server.address, "--store", there)["pulled"] is True


def test_a_place_that_falls_silent_midway_is_gone_on_with(
    server: Server, worker: Worker, here: Path, there: Path
) -> None:
    worker.ask("push", "large", server.address, "--store", here)
    server.wire.rate = RATE
    before = server.wire.down
    with ThreadPoolExecutor() as threads:
        pull = threads.submit(worker.ask, "pull", server.address, "--store", there, silence=SHORT)
        while server.wire.down - before < SIZE // 2 and not pull.done():
            time.sleep(0.002)
        server.wire.silent.set()
        time.sleep(1.5 * SHORT)  # so it has to ask again
        server.wire.silent.clear()
        assert pull.result()["pulled"] is True
    assert contents(there / "large") == contents(here / "large")


def test_a_wrong_token_is_told_and_not_repeated(
    server: Server, worker: Worker, here: Path, there: Path
) -> None:
    worker.ask("push", "small", server.address, "--store", here)
    if not isinstance(server, HubServer):
        set_access(server, free=False)
    try:
        for command in (("pull", "--store", there), ("push", "large", "--store", here)):
            refused = worker.run(*command, server.address, **server.wrong_token)
            assert refused.status == 2, refused
            assert not any(secret in refused.errors for secret in server.wrong_token.values())
    finally:
        if not isinstance(server, HubServer):
            set_access(server, free=True)
    assert contents(there) == {}


def test_nobody_there(server: Server, worker: Worker, there: Path) -> None:
    server.wire.cut = True
    refused = worker.run("pull", server.address, "--store", there)
    assert refused.status == 3
    assert "no answer" in refused.line
    assert not there.exists()


ON_HUB = pytest.mark.parametrize("running", ["hub"], indirect=True)


@ON_HUB
def test_a_push_to_the_hub_deletes_what_the_version_before_had_alone(
    server: HubServer, worker: Worker, here: Path
) -> None:
    worker.ask("push", "small", server.address, "--store", here)
    repository = server.hub.repositories["owner/reviews"]
    assert repository.private
    repository.commit(repository.commits[repository.refs["main"]] | {"LICENSE": b"its owner's"})
    worker.ask("push", "large", f"{server.address}@2", "--store", here)
    files = repository.commits[repository.refs["main"]].keys()
    assert files >= {"LICENSE", ".gitattributes", "README.md", DIGEST, *LARGE}
    assert CARD not in files
    assert CARD in repository.commits[repository.refs["v1"]]


@ON_HUB
@pytest.mark.parametrize("revision", ["main", "dev", "v3", "refs/pr/1", "Stable"])
def test_no_tag_takes_the_name_of_a_branch_or_of_a_version(
    revision: str, server: HubServer, worker: Worker, here: Path
) -> None:
    worker.ask("push", "small", server.address, "--store", here)
    repository = server.hub.repositories["owner/reviews"]
    repository.refs["dev"] = repository.refs["main"]
    before = dict(repository.refs)
    refused = worker.run("push", "large", f"{server.address}@{revision}", "--store", here)
    assert refused.status == 2
    assert "label" in refused.line
    assert repository.refs == before


@ON_HUB
def test_a_push_that_was_killed_before_its_tag_is_gone_on_with(
    server: HubServer, worker: Worker, here: Path
) -> None:
    worker.ask("push", "small", server.address, "--store", here)
    repository = server.hub.repositories["owner/reviews"]
    commit = repository.refs.pop("v1")
    assert worker.ask("push", "small", server.address, "--store", here)["pushed"] is True
    assert repository.refs == {"main": commit, "v1": commit}


def test_google_s_buckets(here: Path, there: Path) -> None:
    address = "gs://bucket/models/reviews"
    with serve_google() as environment, run_worker(**environment) as worker:
        assert worker.ask("push", "large", address, "--store", here)["pushed"] is True
        pulled = worker.ask("pull", address, "--store", there)
        assert pulled["version"] == 1
        assert contents(there / "large") == contents(here / "large")
        assert worker.run("push", "small", address, "--store", here).status == 2
        assert worker.ask("push", "small", f"{address}@2", "--store", here)["pushed"] is True
        assert worker.run("pull", f"{address}@9", "--store", there).status == 2
