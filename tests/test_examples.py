"""The example teachers answer in a form that a training understands."""

import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from training.teachers.command import CommandTeacher

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LABELS = ("negative", "positive")
TEXTS = ["a good film", "a bad film", "two\nlines, good"]
TRANSFORMERS = """
class Config: id2label = {0: "LABEL_0", 1: "LABEL_1"}
class Model: config = Config()
class Classifier:
    model = Model()
    def __call__(self, texts, batch_size):
        return [[{"label": "LABEL_1", "score": 0.9 if "good" in text else 0.2},
                 {"label": "LABEL_0", "score": 0.1 if "good" in text else 0.8}] for text in texts]
def pipeline(task, model, top_k, truncation):
    assert (task, model, top_k, truncation) == ("text-classification", "some/model", None, True)
    return Classifier()
"""


class Endpoint(BaseHTTPRequestHandler):
    """Answers as an endpoint in the style of OpenAI, with the logprobs of the first token."""

    asked: ClassVar[list[dict[str, Any]]] = []
    keys: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body | {"path": self.path})
        self.keys.append(self.headers["Authorization"])
        good = "good" in body["messages"][1]["content"]
        tokens = {" Pos": 0.8 if good else 0.1, "neg": 0.1 if good else 0.7, "The": 0.1}
        top = [{"token": each, "logprob": math.log(p)} for each, p in tokens.items()]
        answer = {"choices": [{"logprobs": {"content": [{"top_logprobs": top}]}}]}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Endpoint]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("TEACHER_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("TEACHER_KEY", "secret")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield Endpoint
    server.shutdown()
    thread.join()
    server.server_close()


def judge(command: str, folder: Path) -> Any:
    teacher = CommandTeacher(f"{sys.executable} {EXAMPLES}/{command}", folder)
    return teacher.judge(TEXTS, labels=LABELS, task="single_label").probabilities


@pytest.mark.medium
def test_an_endpoint(endpoint: type[Endpoint], tmp_path: Path) -> None:
    found = judge("teacher_openai.py large negative,positive", tmp_path)
    good, bad = [1 / 9, 8 / 9], [7 / 8, 1 / 8]
    np.testing.assert_allclose(found, [good, bad, good], atol=1e-6)
    assert {each["path"] for each in endpoint.asked} == {"/v1/chat/completions"}
    assert {each["model"] for each in endpoint.asked} == {"large"}
    assert "negative, positive" in endpoint.asked[0]["messages"][0]["content"]
    assert set(endpoint.keys) == {"Bearer secret"}


def test_transformers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "transformers.py").write_text(TRANSFORMERS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = judge("teacher_transformers.py some/model negative,positive", tmp_path)
    np.testing.assert_allclose(found, [[0.1, 0.9], [0.8, 0.2], [0.1, 0.9]], atol=1e-6)


@pytest.mark.parametrize("name", ["teacher_openai.py", "teacher_transformers.py"])
def test_they_are_short_and_say_how_to_call_them(name: str) -> None:
    content = (EXAMPLES / name).read_text()
    assert f"examples/{name}" in content
    assert len([line for line in content.partition('"""\n\n')[2].splitlines() if line]) <= 30


def test_a_key_that_is_missing_is_an_end_with_its_name(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if "TEACHER" not in name}
    command = [sys.executable, str(EXAMPLES / "teacher_openai.py"), "large", "a,b"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, input=""
    )
    assert done.returncode != 0
    assert "TEACHER_URL" in done.stderr
