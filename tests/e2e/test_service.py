import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from models.registry import Store
from models.versions import Version
from tests.e2e.server import ROOT, Server, running
from tests.promises.processes import FIRST, children_of, first_can_be_made
from tests.training.loader import uncovered_environment

pytestmark = [pytest.mark.e2e, pytest.mark.tensorflow]


@pytest.fixture
def store(trained: Version, tmp_path: Path) -> Path:
    shutil.copytree(trained.path, tmp_path / "tiny" / "1")
    return tmp_path


def publish_again(store: Path) -> int:
    newest = Store(store).resolve("tiny")
    with Store(store).staging("tiny") as folder:
        shutil.copytree(newest.path, folder, dirs_exist_ok=True)
        return Store(store).publish(folder, metadata=newest.metadata).number


def libraries(server: Server) -> str:
    return Path(f"/proc/{server.process.pid}/maps").read_text()


@pytest.mark.parametrize("engine", ["onnx", pytest.param("savedmodel", marks=pytest.mark.slow)])
def test_a_text_gets_its_label_and_only_the_engine_in_use_is_loaded(
    engine: str, store: Path
) -> None:
    with running(store, GATEWISE_ENGINE=engine) as server:
        status, answer = server.predict(text="a superb evening")
        assert (status, answer["label"]) == (200, "like")
        assert ("libtensorflow" in libraries(server)) == (engine == "savedmodel")
        assert ("onnxruntime" in libraries(server)) == (engine == "onnx")


def test_bad_input_is_answered_and_survived(store: Path) -> None:
    with running(store) as server:
        for body, expected in (
            (b"no json", 400),
            (b"", 400),
            (b'{"text": 5}', 422),
            (b'{"text": "a", "texts": []}', 422),
            (b'{"texts": []}', 422),
            (b'{"text": "\\ud83d"}', 422),
            (b'{"text": "\\u0000"}', 200),
            (b'{"text": ""}', 200),
            (b'{"text": "%s"}' % (b"word " * 2_000_000), 413),
            (b'{"text": "a", "model": "other"}', 404),
        ):
            status, answer = server.request("POST", "/predict", body)
            assert (status, body[:40]) == (expected, body[:40])
            assert ("error" in answer) == (status != 200)
        assert server.predict(text="dull")[1]["label"] == "dislike"
        assert not [line for line in server.log if "Traceback" in line]


def test_a_long_text_is_read_whole(store: Path) -> None:
    with running(store) as server:
        status, answer = server.predict(text="it is " * 50_000 + "superb")
        assert (status, answer["tokens"], answer["truncated"]) == (200, 100_001, False)


def test_a_new_version_is_picked_up_without_a_failed_request(store: Path) -> None:
    answers: list[tuple[int, int]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            status, answer = server.predict(texts=["superb", "dull"])
            version = answer["predictions"][0]["version"] if status == 200 else 0
            answers.append((status, version))

    with running(store, GATEWISE_POLL_SECONDS="0.05") as server:
        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        for expected in (2, 3, 4):
            assert publish_again(store) == expected
            deadline = time.monotonic() + 30
            while not answers or answers[-1][1] != expected:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        stop.set()
        for client in clients:
            client.join()
    assert {status for status, _ in answers} == {200}
    assert {version for _, version in answers} == {1, 2, 3, 4}


def test_a_half_copied_version_harms_nobody(store: Path) -> None:
    with running(store, GATEWISE_POLL_SECONDS="0.05") as server:
        target = store / "tiny" / "2"
        (target / "assets.extra").mkdir(parents=True)
        metadata = json.loads((store / "tiny/1/assets.extra/metadata.json").read_text())
        text = json.dumps(metadata | {"version": 2})
        (target / "assets.extra" / "metadata.json").write_text(text)
        deadline = time.monotonic() + 30
        while len(versions := server.request("GET", "/models/tiny")[1]["versions"]) < 2:
            assert time.monotonic() < deadline
        assert [version["state"] for version in versions] == ["failed", "ready"]
        assert server.predict(text="superb")[1]["version"] == 1
        shutil.copytree(store / "tiny" / "1", target, dirs_exist_ok=True)
        (target / "assets.extra" / "metadata.json").write_text(text)
        while server.predict(text="superb")[1]["version"] == 1:
            assert time.monotonic() < deadline


def test_on_sigterm_readiness_goes_first_and_work_in_flight_is_finished(store: Path) -> None:
    results: list[tuple[int, object]] = []
    with running(
        store, GATEWISE_DRAIN_SECONDS="4", GATEWISE_THREADS="1", GATEWISE_ENGINE="onnx"
    ) as server:
        long = threading.Thread(
            target=lambda: results.append(server.predict(texts=["it is " * 250_000] * 4))
        )
        long.start()
        time.sleep(0.2)
        server.terminate()
        while server.request("GET", "/readyz") != (503, {"status": "draining"}):
            time.sleep(0.05)
        assert server.request("GET", "/livez")[0] == 200
        assert not results  # it is still being computed
        assert server.process.wait(timeout=120) in (0, -signal.SIGTERM)
        long.join()
        assert results[0][0] == 200


SERVE = [sys.executable, "-m", "service", "--port", "0"]


def takes_sigterm(pid: int) -> bool:
    """Whether a process does something at SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & 1 << signal.SIGTERM - 1)


@pytest.mark.parametrize("place", [[], FIRST], ids=["any", "first"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_while_it_starts_ends_it(place: list[str], workers: str, store: Path) -> None:
    if place and not first_can_be_made():
        pytest.skip("no process can be made the first of its own")
    command = [*place, *SERVE, "--store", str(store), "--workers", workers]
    # Coverage has a handler of its own, which ends no first process.
    environment = uncovered_environment()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as started:
        deadline = time.monotonic() + 60
        children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
        while not (pids := children.read_text().split() if place else [str(started.pid)]):
            assert time.monotonic() < deadline
        pid = int(pids[0])
        while not takes_sigterm(pid):
            assert time.monotonic() < deadline
        is_starting = "httptools" not in Path(f"/proc/{pid}/maps").read_text()
        os.kill(pid, signal.SIGTERM)
        assert is_starting
        try:
            assert started.wait(timeout=30) in (0, -signal.SIGTERM)
        except subprocess.TimeoutExpired:
            os.kill(pid, signal.SIGKILL)
            raise
        assert started.stderr is not None
        assert "Traceback" not in started.stderr.read()


LOADS_FOR_LONG = """
import sys, time
from pathlib import Path
from service.__main__ import prepare_process
from service.answering.catalog import Catalog
from service.settings import Settings
from service.web.server import run_server
Catalog.load = lambda _: print("loading", flush=True) or time.sleep(100)
prepare_process()
run_server(Settings(store=Path(sys.argv[1]), port=0))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("place", [[], FIRST], ids=["any", "first"])
def test_a_signal_while_a_version_is_loaded_ends_it(
    place: list[str], number: signal.Signals, tmp_path: Path
) -> None:
    if place and not first_can_be_made():
        pytest.skip("no process can be made the first of its own")
    with subprocess.Popen(
        [*place, sys.executable, "-c", LOADS_FOR_LONG, tmp_path],
        cwd=ROOT,
        env=uncovered_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"loading\n"
        (pid,) = children_of(started.pid) if place else [started.pid]
        os.kill(pid, number)
        try:
            assert started.wait(timeout=30) == (0 if place else -number)
        except subprocess.TimeoutExpired:
            os.kill(pid, signal.SIGKILL)
            raise


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)], ids=str)
def test_standard_files_may_be_closed(closed: tuple[int, ...], workers: str, store: Path) -> None:
    """As daemons and services of Windows start programs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    close = " ".join(f"{number}>&-" for number in closed)
    command = [*SERVE[:-1], str(port), "--store", str(store), "--workers", workers]
    shell = ["/bin/sh", "-c", f'exec "$@" {close}', "sh", *command]
    with subprocess.Popen(shell, cwd=ROOT) as started:
        try:
            deadline = time.monotonic() + 60
            while (status := ask_label(port)) != "like":
                assert started.poll() is None
                assert time.monotonic() < deadline, status
                time.sleep(0.1)
            if workers == "1":
                held = [Path(f"/proc/{started.pid}/fd/{n}").resolve() for n in closed]
                assert held == [Path(os.devnull)] * len(closed)
        finally:
            started.terminate()


def ask_label(port: int) -> str:
    """Return the label of a text, or why there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        body = json.dumps({"text": "a superb evening"})
        connection.request("POST", "/predict", body, {"content-type": "application/json"})
        return json.loads(connection.getresponse().read()).get("label", "none")
    except OSError as error:
        return str(error)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (
            [],
            {"GATEWISE_ENGINE": "gpu"},
            "GATEWISE_ENGINE: Input should be 'auto', 'native', 'onnx' or",
        ),
        ([], {"GATEWISE_THREADS": "0"}, "GATEWISE_THREADS: Input should be greater than or equal"),
        (["--port", "70000"], {}, "GATEWISE_PORT: Input should be less than or equal to 65535"),
        (["--model", "a:B"], {}, "GATEWISE_MODEL: String should match pattern"),
    ],
)
def test_a_bad_setting_is_one_line(arguments: list[str], environment: dict, message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_told(store: Path) -> None:
    with running(store) as server:
        done = subprocess.run(
            [sys.executable, "-m", "service", "--store", str(store), "--port", str(server.port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "address already in use; set another --port" in done.stderr
    assert "is ready with" not in done.stderr  # nothing was loaded for it
    assert "Traceback" not in done.stderr
