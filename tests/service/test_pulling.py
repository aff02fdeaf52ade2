"""Versions are pulled before the service starts, and what is there is served if they cannot be."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models.registry import Store
from service import pulling
from service.__main__ import app
from service.pulling import NothingToServe, pull_versions
from service.settings import Settings
from service.web import server
from tests.promises.processes import FIRST, alive, children_of, first_can_be_made
from tests.training.loader import ROOT, uncovered_environment
from tests.versions import publish

pytestmark = pytest.mark.e2e


@pytest.fixture
def address(tmp_path: Path) -> str:
    publish(tmp_path / "elsewhere")
    shutil.copytree(tmp_path / "elsewhere" / "toy", tmp_path / "place")
    return f"file://{tmp_path}/place"


def test_what_is_named_is_there_before_anything_is_served(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    served: list[list[str]] = []
    monkeypatch.setattr(server, "run_server", lambda _: served.append(Store(store).names()))
    environment = {"GATEWISE_PULL": f" {address} , {address}@1", "GATEWISE_STORE": str(store)}
    done = CliRunner().invoke(app, [], env=environment)
    assert done.exit_code == 0, done.output
    assert served == [["toy"]]


def test_the_log_says_what_came(
    address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    pull_versions([address, address], store=tmp_path / "store")
    assert [record.getMessage() for record in caplog.records] == [
        f"pulling {address}",
        f"pulled toy:1 from {address}@1",
        f"pulling {address}",
        f"already there: toy:1 from {address}@1",
    ]


def test_what_is_there_is_served_where_a_place_does_not_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish(tmp_path / "store")
    pull_versions([f"file://{tmp_path}/nothing"], store=tmp_path / "store")
    (record,) = (each for each in caplog.records if each.levelno == logging.WARNING)
    address = f"file://{tmp_path}/nothing"
    assert record.getMessage() == (
        f"cannot pull {address}: {address}: there is no version; serving what is in the store"
    )


def test_with_nothing_to_serve_the_start_ends_with_one_line(tmp_path: Path) -> None:
    address = f"file://{tmp_path}/nothing"
    with pytest.raises(NothingToServe):
        pull_versions([address], store=tmp_path / "store")
    environment = {"GATEWISE_PULL": address, "GATEWISE_STORE": str(tmp_path / "store")}
    done = CliRunner().invoke(app, [], env=environment)
    assert done.exit_code == 2
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert line == (
        f"error: cannot pull {address}: {address}: there is no version; "
        f"and there is no model in {tmp_path}/store to serve"
    )


def test_an_address_that_is_none_is_told_before_anything_is_done(tmp_path: Path) -> None:
    environment = {"GATEWISE_PULL": "s3://key:hunter22@bucket/reviews"}
    done = CliRunner().invoke(app, ["--store", str(tmp_path)], env=environment)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: GATEWISE_PULL: ")
    assert "hunter22" not in done.output


def test_several_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWISE_PULL", "hf://owner/reviews@3, s3://bucket/reviews")
    assert Settings().pull == ("hf://owner/reviews@3", "s3://bucket/reviews")


def test_a_signal_as_a_pull_starts_is_not_lost(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a child by then, but nobody knows it yet."""
    ended: list[int] = []
    monkeypatch.setattr(pulling, "end_process", ended.append)
    started: list[subprocess.Popen[str]] = []

    def start(*command: Any, **options: Any) -> subprocess.Popen[str]:
        started.append(popen(*command, **options))
        os.kill(os.getpid(), signal.SIGTERM)
        return started[0]

    popen = subprocess.Popen
    monkeypatch.setattr(pulling.subprocess, "Popen", start)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(NothingToServe):
        pull_versions([address], store=tmp_path / "store")
    assert signal.getsignal(signal.SIGTERM) is before
    assert ([each.returncode for each in started], ended) == ([-signal.SIGKILL], [signal.SIGTERM])


@pytest.mark.skipif(sys.platform != "linux", reason="needs the list of children that Linux has")
@pytest.mark.parametrize("place", [[], FIRST], ids=["any", "first"])
def test_a_signal_during_a_pull_ends_both_processes(place: list[str], tmp_path: Path) -> None:
    if place and not first_can_be_made():
        pytest.skip("no process can be made the first of its own")
    publish(tmp_path / "store")  # which would be served if the pull failed
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = uncovered_environment(
            GATEWISE_PULL="s3://bucket/reviews",
            GATEWISE_STORE=str(tmp_path / "store"),
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{silent.getsockname()[1]}",
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
        )
        with subprocess.Popen(
            [*place, sys.executable, "-m", "service", "--port", "0"],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.DEVNULL,
        ) as started:
            connection, _ = silent.accept()  # so the pull has begun
            (service,) = children_of(started.pid) if place else [started.pid]
            (child,) = children_of(service)
            os.kill(service, signal.SIGTERM)
            try:
                assert started.wait(10) == (0 if place else -signal.SIGTERM)
            except subprocess.TimeoutExpired:
                os.kill(service, signal.SIGKILL)
                raise
            connection.close()
    deadline = time.monotonic() + 10
    while alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)
