"""Three replicas behind the proxy, watched by Prometheus, are replaced under load.

    python -m tests.e2e.replicas

Fails if a request fails, or if a panel of the dashboard has no data. Grafana is started where its
image is there. What cannot be had here is skipped.
"""

import http.client
import json
import os
import secrets
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from websockets.sync.client import connect

from tests.e2e.threads import Threads

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "deploy" / "monitoring" / "grafana" / "gatewise.json"
FILES = ("docker-compose.yml", "deploy/proxy/compose.yml")
REPLICAS = 3
READY_SECONDS = 180
CALM_SECONDS = 45  # of load before and after, so that Prometheus sees several rounds
ON_TRIAL = "gatewise_rollout_"  # metrics that there are only while a version is tried

# The certificate of the proxy is one of its own.
TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname, TRUSTING.verify_mode = False, ssl.CERT_NONE


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


class Project:
    """The containers of one run, under a name of their own."""

    def __init__(self, folder: Path) -> None:
        self.https, self.prometheus, self.grafana = free_port(), free_port(), free_port()
        env_file = folder / "env"
        env_file.touch()
        self.options = ["--project-name", f"gatewise-replicas-{os.getpid()}"]
        self.options += ["--env-file", str(env_file)]
        ours = ("GATEWISE_", "COMPOSE_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | {
            "COMPOSE_HTTP_TIMEOUT": "300",
            "GATEWISE_TAG": "replicas-test",
            "GATEWISE_STREAM_SECRET": secrets.token_hex(16),
            "GATEWISE_HTTPS_PORT": str(self.https),
            "GATEWISE_PROMETHEUS_PORT": str(self.prometheus),
            "GATEWISE_GRAFANA_PORT": str(self.grafana),
        }

    def compose(self, *arguments: str) -> str:
        command = ["docker", "compose"] if _has_plugin() else ["docker-compose"]
        files = [part for file in FILES for part in ("--file", file)]
        return self.run(*command, *files, *self.options, "--profile", "monitoring", *arguments)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"FAIL {' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def update(self) -> str:
        return self.run("deploy/proxy/update.sh", *self.options)

    def ask(self, path: str, question: object = None, **headers: str) -> tuple[int, Any, Any]:
        """Return status, headers and JSON of an answer of the proxy."""
        connection = http.client.HTTPSConnection("localhost", self.https, context=TRUSTING)
        answer = exchange(connection, path, question, **headers)
        connection.close()
        return answer

    def query(self, expression: str) -> list[Any]:
        """Return what Prometheus finds."""
        asked = urllib.parse.urlencode({"query": expression})
        url = f"http://127.0.0.1:{self.prometheus}/api/v1/query?{asked}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
        return found


def exchange(
    connection: http.client.HTTPConnection, path: str, question: object, **headers: str
) -> tuple[int, Any, Any]:
    body = None if question is None else json.dumps(question)
    sent = {"content-type": "application/json", "x-deadline-ms": "30000"} | headers
    connection.request("GET" if body is None else "POST", path, body, sent)
    answer = connection.getresponse()
    content = answer.read()
    is_json = answer.headers.get_content_type() == "application/json"
    return answer.status, answer.headers, json.loads(content) if is_json else content


class Load(Threads):
    """Clients that ask until told to end: whole texts, and streams over all replicas."""

    def __init__(self, project: Project, *, clients: int = 4, streams: int = 3) -> None:
        self.statuses: Counter[int] = Counter()
        self.failures: list[str] = []
        self.seconds: list[float] = []
        self._project = project
        super().__init__(*[self._predict] * clients, *[self._stream] * streams)

    def _predict(self) -> None:
        connection = self._connect()
        while not self.over.is_set():
            self._ask(connection, "/predict", {"text": "a fine film that never ends, with music"})

    def _stream(self) -> None:
        connection = self._connect()
        while not self.over.is_set():
            state = None
            for piece in ("a wonder", "ful film, ", "truly good"):
                answer = self._ask(connection, "/stream", {"text": piece, "state": state})
                state = (answer or {}).get("state")

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            "localhost", self._project.https, context=TRUSTING, timeout=60
        )

    def _ask(self, connection: http.client.HTTPConnection, path: str, question: object) -> Any:
        began = time.monotonic()
        try:
            status, _, found = exchange(connection, path, question)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"{path}: {error!r}")
            connection.close()
            return None
        self.seconds.append(time.monotonic() - began)
        self.statuses[status] += 1
        if status != 200:
            self.failures.append(f"{path}: {status} {found!r}")
        time.sleep(0.02)
        return found

    def __str__(self) -> str:
        cuts = statistics.quantiles(self.seconds, n=100)
        times = f"p50 {1e3 * cuts[49]:.0f} ms, p99 {1e3 * cuts[98]:.0f} ms"
        return f"{sum(self.statuses.values())} requests, {len(self.failures)} failed, {times}"


def _has_plugin() -> bool:
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return done.returncode == 0


def skip(why: str) -> None:
    typer.echo(f"SKIP replicas test: {why}")
    sys.exit(0)


def check_what_there_is() -> None:
    if shutil.which("docker") is None:
        skip("docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        skip("no docker engine answers")
    for name in ("caddy", "prom/prometheus"):
        if not has_image(image := image_of(name)):
            skip(f"there is no image {image}")


def image_of(name: str) -> str:
    """Return the image with its tag that the compose files name."""
    lines = [line.split() for file in FILES for line in (ROOT / file).read_text().splitlines()]
    images = [words[1] for words in lines if words[:1] == ["image:"]]
    return next(image for image in images if image.startswith(f"{name}:"))


def has_image(image: str) -> bool:
    for command in (["docker", "image", "inspect", image], ["docker", "pull", "--quiet", image]):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return True
    return False


def wait_for(what: str, is_so: Callable[[], bool], *, seconds: float = READY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"FAIL {what}")
        time.sleep(0.5)
    typer.echo(f"PASS {what}")


def check(what: str, holds: bool, found: object = "") -> None:
    typer.echo(f"{'PASS' if holds else 'FAIL'} {what}{f': {found}' if found != '' else ''}")
    if not holds:
        raise SystemExit(1)


def check_proxy(project: Project) -> None:
    """See that what the service needs gets through, and what is internal does not."""
    status, headers, found = project.ask("/predict", {"text": "good"}, **{"x-request-id": "an-id"})
    check("the request id is handed on", headers["x-request-id"] == "an-id", status)
    check("a stable model answers", found["model"] == "imdb-gru")
    check("a request without an id gets one", bool(project.ask("/livez")[1]["x-request-id"]))
    check("metrics stay inside", project.ask("/metrics")[0] == 404)
    with connect(f"wss://localhost:{project.https}/stream", ssl=TRUSTING) as socket:
        for _ in range(3):
            socket.send(json.dumps({"text": "good "}))
            answered = json.loads(socket.recv())
    check("a WebSocket gets through", answered["tokens"] == 3, answered["tokens"])


def ask_badly(project: Project) -> None:
    """Have each replica refuse something, so that there is something to see of it."""
    for _ in range(4 * REPLICAS):
        project.ask("/predict", {"text": 5})
    counted = "rate(gatewise_refusals_total[1m])"
    wait_for("refusals are counted", lambda: bool(project.query(counted)))


def check_panels(project: Project) -> None:
    """See that the query of each panel has data."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$__rate_interval", "1m")
            found = project.query(expression)
            if ON_TRIAL in expression:
                typer.echo(f"SKIP panel {panel['title']}: nothing is on trial")
            else:
                check(f"panel {panel['title']} has data", bool(found), len(found))


def main() -> None:
    """Run all of it."""
    check_what_there_is()
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        watching = ["prometheus"]
        if has_image(image_of("grafana/grafana")):
            watching.append("grafana")
        project.compose("build", "api")
        try:
            scale = ["--scale", f"api={REPLICAS}"]
            project.compose("up", "-d", *scale, "api", "proxy", *watching)
            up = 'sum(up{job="gatewise"})'
            wait_for(f"{REPLICAS} replicas are watched", lambda: _value(project, up) == REPLICAS)
            ready = "count(gatewise_ready == 1)"
            wait_for("all are ready", lambda: _value(project, ready) == REPLICAS)
            check_proxy(project)
            with Load(project) as load:
                time.sleep(CALM_SECONDS)
                project.update()
                time.sleep(CALM_SECONDS)
            check("replicas are replaced without a failed request", not load.failures, load)
            ask_badly(project)
            check_panels(project)
        finally:
            project.compose("down", "--volumes", "--remove-orphans")


def _value(project: Project, expression: str) -> float:
    try:
        found = project.query(expression)
    except OSError:  # it still starts
        return 0
    return float(found[0]["value"][1]) if found else 0


if __name__ == "__main__":
    main()
