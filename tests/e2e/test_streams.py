"""Streams of a real service: a process each, HTTP and WebSockets through uvicorn."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from models.versions import Version
from tests.e2e.server import Server, running

pytestmark = [pytest.mark.e2e, pytest.mark.tensorflow]

PIECES = ["a sup", "erb eve", "ning, ", "and a du", "ll end"]
RUNS = [PIECES[:2], PIECES[2:]]  # the pieces that each of two processes is sent


@pytest.fixture(scope="module")
def store(trained: Version, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    shutil.copytree(trained.path, folder / "tiny" / "1")
    return folder


def send(server: Server, **question: Any) -> Any:
    status, answer = server.request("POST", "/stream", json.dumps(question).encode())
    assert status == 200, answer
    return answer


def say(socket: ClientConnection, **message: Any) -> Any:
    socket.send(json.dumps(message))
    return json.loads(socket.recv(timeout=30))


def open_socket(server: Server) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}/stream")


@pytest.mark.parametrize("engine", ["onnx", pytest.param("savedmodel", marks=pytest.mark.slow)])
def test_a_stream_goes_on_at_another_process_and_after_a_restart(engine: str, store: Path) -> None:
    state = None
    for pieces in RUNS:
        with running(store, GATEWISE_ENGINE=engine) as server:
            for piece in pieces:
                answer = send(server, text=piece, state=state, explain=True, gates=True)
                state = answer["state"]
            _, whole = server.predict(text="".join(PIECES))
    assert answer["prediction"]["tokens"] == whole["tokens"]
    assert answer["prediction"]["score"] == pytest.approx(whole["score"], abs=1e-5)


def test_workers_share_streams(store: Path) -> None:
    with running(store, GATEWISE_WORKERS="2") as server:
        state = None
        for piece in PIECES * 4:  # each over a connection of its own, so either may answer
            state = send(server, text=piece, state=state)["state"]


def test_one_socket_harms_no_other(store: Path) -> None:
    with running(store, GATEWISE_MAX_BODY_BYTES="2000") as server:
        with open_socket(server) as good, open_socket(server) as bad:
            say(good, text=PIECES[0])
            bad.send("x" * 3_000)
            with pytest.raises(ConnectionClosed) as closed:
                bad.recv(timeout=30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009  # too big
            good.send(b'{"text": "erb"}')  # bytes are as good as text
            assert json.loads(good.recv(timeout=30))["tokens"] >= 2
        status, _whole = server.predict(text="a superb")
        assert status == 200


def test_a_service_that_ends_says_so(store: Path) -> None:
    with running(store) as server, open_socket(server) as socket:
        state = say(socket, text=PIECES[0], with_state=True)["state"]
        server.terminate()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012  # restarting
    with running(store) as server, open_socket(server) as socket:
        assert say(socket, text=PIECES[1], state=state)["tokens"] >= 2
