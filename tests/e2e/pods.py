"""The pods of deploy/kubernetes run in Docker as a kubelet would run them, without a cluster.

    python -m tests.e2e.pods [--long]

User, capabilities, file system, memory, processors, variables, volumes, command, probes, pause and
signal are those of the rendered manifests. Fails if a request is lost while a pod ends under load.
The long form trains twice, so that the gate refuses. What cannot be had here is skipped.
"""

import csv
import http.client
import itertools
import json
import os
import random
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from tests.e2e.replicas import check, free_port, wait_for
from tests.e2e.threads import Threads
from tests.manifests import FOLDER, ROOT, Document, Pod, named, pods, render, why_not

TAG = "pods-test"
# A training that is as short as it can be, as an operator would patch it.
SHORT = ("--epochs", "1", "--vocabulary", "300", "--units", "16", "--embedding", "16")
CALM_SECONDS = 3
# Later than the pause of preStop: some proxies still send new connections while the service drains.
LEARNT_SECONDS = 8


def run(*command: str, expected: Sequence[int] = (0,)) -> tuple[int, str]:
    """Return exit status and output of a command, which ends the test unless it is expected."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in expected:
        raise SystemExit(f"FAIL {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.returncode, done.stdout + done.stderr


class Node:
    """One machine of a cluster that there is not: volumes, Secrets and containers.

    Args:
        folder: Where its volumes are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = itertools.count()
        self._secrets: dict[str, dict[str, str]] = {}

    def add_secret(self, name: str, **values: str) -> None:
        """Keep a Secret; an underscore stands for the point in the name of a file."""
        self._secrets[name] = {key.replace("_", "."): value for key, value in values.items()}

    def claim(self, name: str) -> Path:
        """Return the folder of a claim; it is made, and group 10001 may write it, as by fsGroup."""
        return self._make(f"claims/{name}", mode=0o2775, group=10001)

    def start(
        self,
        pod: Pod,
        container: Document,
        *,
        arguments: Sequence[str] | None = None,
        port: int | None = None,
        job: str = "",
        home: str | None = None,
    ) -> str:
        """Start a container of a pod and return its id.

        Args:
            pod: The pod.
            container: Its container.
            arguments: What stands in place of its own.
            port: Of this machine, which leads to the container; without one it has no network.
            job: Name of the Job that the pod is of.
            home: Pod whose emptyDirs it shares.
        """
        most = container["resources"]["limits"]
        context = pod.spec["securityContext"] | container["securityContext"]
        memory = re.sub("i$", "", most["memory"]).lower()
        options = [f"--user={context['runAsUser']}:{context['runAsGroup']}"]
        options += [f"--group-add={context['fsGroup']}", "--security-opt=no-new-privileges"]
        options += [f"--cap-drop={each}" for each in context["capabilities"]["drop"]]
        options += ["--read-only"] * context["readOnlyRootFilesystem"]
        cores = min(float(most["cpu"]), os.cpu_count() or 1)  # Docker refuses more than there are
        options += [f"--cpus={cores}", f"--memory={memory}", f"--memory-swap={memory}"]
        options += ["--network=none"] if port is None else [f"--publish=127.0.0.1:{port}:8000"]
        options += [f"--env={name}={value}" for name, value in self._environment(container, job)]
        options += self._mounts(pod, container, home or f"pod-{next(self._count)}")
        entry, *more = container.get("command", [""])
        options += [f"--entrypoint={entry}"] if entry else []
        given = container.get("args", ()) if arguments is None else arguments
        image = re.sub(r"^.*(gatewise-\w+)@.*$", rf"\1:{TAG}", container["image"])
        _, said = run("docker", "run", "--detach", *options, image, *more, *given)
        return said.strip()

    def finish(self, pod: Pod, container: Document, **how: Any) -> tuple[int, str]:
        """Run a container to its end; return exit status and log."""
        started = self.start(pod, container, **how)
        _, status = run("docker", "wait", started)
        _, log = run("docker", "logs", started)
        run("docker", "rm", started)
        return int(status), log

    def _make(self, name: str, *, mode: int, group: int) -> Path:
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, 0, group)
        folder.chmod(mode)
        return folder

    def _environment(self, container: Document, job: str) -> Iterator[tuple[str, str]]:
        known: dict[str, str] = {}
        for each in container["env"]:
            source = each.get("valueFrom", {})
            if "secretKeyRef" in source:
                value = self._secrets[source["secretKeyRef"]["name"]][source["secretKeyRef"]["key"]]
            elif "fieldRef" in source:
                assert source["fieldRef"]["fieldPath"].endswith("job-name']")
                value = job
            else:
                value = re.sub(r"\$\((\w+)\)", lambda match: known[match[1]], each["value"])
            known[each["name"]] = value
        yield from known.items()

    def _mounts(self, pod: Pod, container: Document, home: str) -> Iterator[str]:
        volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
        for mount in container["volumeMounts"]:
            volume = volumes[mount["name"]]
            if "secret" in volume:
                folder = self._write_secret(volume["secret"])
            elif "emptyDir" in volume:
                folder = self._make(f"{home}/{volume['name']}", mode=0o2777, group=10001)
            else:
                folder = self.claim(volume["persistentVolumeClaim"]["claimName"])
            mode = ":ro" if mount.get("readOnly") or "secret" in volume else ""
            yield f"--volume={folder}:{mount['mountPath']}{mode}"

    def _write_secret(self, volume: Document) -> Path:
        """Return the folder of a Secret: files are links into a folder that is replaced whole."""
        name = volume["secretName"]
        folder = self._make(f"secrets/{name}", mode=0o755, group=10001)
        self._fill(folder, self._secrets[name], mode=volume.get("defaultMode", 0o644))
        return folder

    def change_secret(self, name: str, **values: str) -> None:
        """Change a Secret that running pods have, as a kubelet does some time after."""
        self.add_secret(name, **values)
        self._fill(self._folder / "secrets" / name, self._secrets[name], mode=0o440)

    def _fill(self, folder: Path, values: dict[str, str], *, mode: int) -> None:
        whole = folder / f"..{next(self._count)}"
        whole.mkdir(mode=0o755)
        for key, value in values.items():
            path = whole / key
            path.write_text(value)
            os.chown(path, 0, 10001)
            path.chmod(mode)
            if not (link := folder / key).is_symlink():
                link.symlink_to(f"..data/{key}")
        new = folder / "..new"
        new.symlink_to(whole.name)
        new.replace(folder / "..data")


class Replica:
    """A running pod of the service.

    Args:
        node: Where it runs.
        pod: The pod.
        home: Pod whose emptyDirs it has.
    """

    def __init__(self, node: Node, pod: Pod, *, home: str | None = None) -> None:
        [self._container] = pod.spec["containers"]
        self._pod = pod
        self.port = free_port()
        self.id = node.start(pod, self._container, port=self.port, home=home)

    def probe(self, name: str) -> int:
        """Return the status that a probe of the manifest gets; 0 if there is no answer in time."""
        asks = self._container[name]
        return self.ask(asks["httpGet"]["path"], seconds=asks["timeoutSeconds"])

    def ask(self, path: str, key: str | None = None, *, seconds: float = 10) -> int:
        """Return the status of an answer; 0 if there is none in time."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            headers = {} if key is None else {"authorization": f"Bearer {key}"}
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def is_running(self) -> bool:
        return _inspect(self.id, "{{.State.Running}}") == "true"

    def peak(self) -> int:
        """Return the largest memory that its processes have held, in MiB."""
        _, said = run("docker", "exec", self.id, "cat", "/proc/1/status")
        match = re.search(r"^VmHWM:\s+(\d+) kB$", said, re.MULTILINE)
        assert match is not None
        return int(match[1]) // 1024

    def pause(self) -> float:
        """Return the seconds between the order to end and the signal."""
        return float(self._container["lifecycle"]["preStop"]["sleep"]["seconds"])

    def terminate(self) -> tuple[float, int]:
        """Send SIGTERM; return the seconds until it has ended, and its exit status.

        The test fails if that takes longer than the pod has.
        """
        began = time.monotonic()
        run("docker", "kill", "--signal=TERM", self.id)
        run("docker", "wait", self.id)
        seconds = time.monotonic() - began
        grace = self._pod.spec["terminationGracePeriodSeconds"]
        check("the pod ends in its time", self.pause() + seconds < grace, f"{seconds:.1f} s")
        return seconds, int(_inspect(self.id, "{{.State.ExitCode}}"))


class Load(Threads):
    """Clients that ask until told to end, on connections that they keep, of replicas at random.

    Args:
        replicas: Those that a new connection may go to; others may take some away.
        key: API key.
        model: The model.
    """

    def __init__(self, replicas: list[Replica], *, key: str, model: str) -> None:
        self.targets = replicas
        self.failures: list[str] = []
        self.answered = 0
        self._lock = threading.Lock()
        self._key, self._model = key, model
        super().__init__(*[self._predict] * 6, *[self._stream] * 2)

    def _predict(self) -> None:
        while not self.over.is_set():
            connection = self._connect()
            for _ in range(20):  # then a new connection, as other clients make them
                question = {"text": "The tent I use on a long trip is a delight."}
                if self.over.is_set() or self._ask(connection, "/predict", question) is None:
                    break
            connection.close()

    def _stream(self) -> None:
        while not self.over.is_set():
            state = None
            for piece in ("The tent ", "I use is a de", "light."):
                connection = self._connect()  # any replica goes on
                found = self._ask(connection, "/stream", {"text": piece, "state": state}) or {}
                state = found.get("state")
                connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        port = random.choice(self.targets).port
        return http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def _ask(self, connection: http.client.HTTPConnection, path: str, question: object) -> Any:
        """Return the answer; None if it failed."""
        sent = {"content-type": "application/json", "authorization": f"Bearer {self._key}"}
        body = json.dumps({"model": self._model} | dict(question))  # type: ignore[call-overload]
        try:
            connection.request("POST", path, body, sent)
            answer = connection.getresponse()
            found = json.loads(answer.read())
            failure = "" if answer.status == 200 else f"{answer.status} {found!r}"
        except (OSError, http.client.HTTPException) as error:
            found, failure = None, repr(error)
        with self._lock:
            self.answered += not failure
            self.failures += [f"{path}: {failure}"] * bool(failure)
        time.sleep(0.02)
        return None if failure else found


def _inspect(container: str, what: str) -> str:
    return run("docker", "inspect", "--format", what, container)[1].strip()


def skip(why: str) -> None:
    typer.echo(f"SKIP pods test: {why}")
    sys.exit(0)


def check_what_there_is() -> None:
    if (lacking := why_not()) is not None:
        skip(lacking)
    if shutil.which("docker") is None:
        skip("docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        skip("no docker engine answers")
    if os.geteuid():
        skip("only root gives volumes to a group, as a kubelet does")


def write_reviews(path: Path, *, shuffled: bool = False) -> None:
    """Write 400 reviews of things; labels that are shuffled say nothing about them."""
    words = {
        "praise": ("works wonderfully", "is a delight", "feels solid", "was worth every cent"),
        "blame": ("broke at once", "is a nuisance", "feels cheap", "was a waste of money"),
    }
    things = ("kettle", "lamp", "jacket", "keyboard", "tent", "chair", "radio", "bag", "pan", "map")
    uses = ("in the kitchen", "on a long trip", "every morning", "at the office", "outside")
    told = [
        (f"The {thing} I use {use} {verdict}.", label)
        for thing, use in itertools.product(things, uses)
        for label, verdicts in words.items()
        for verdict in verdicts
    ]
    texts, labels = map(list, zip(*told, strict=True))
    if shuffled:
        random.Random(0).shuffle(labels)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(texts, labels, strict=True)])
    path.chmod(0o644)


def make_key(node: Node) -> tuple[str, str]:
    """Return an API key, and the file that knows it and those before."""
    folder = node.claim("made-keys")
    write = f"--volume={folder}:/keys"
    make = ["python", "-m", "service", "keys", "create", "web", "--file", "/keys/keys.json"]
    _, said = run("docker", "run", "--rm", write, f"gatewise-service:{TAG}", *make)
    found = re.search(r"gw_[0-9a-f]{16}_[\w-]{43}", said)
    assert found is not None, said
    return found[0], (folder / "keys.json").read_text()


def check_new_key(node: Node, replica: Replica) -> None:
    """Add a key to the Secret: it opens the running pod."""
    key, known = make_key(node)
    check("a key that is not known opens nothing", replica.ask("/models", key) == 401)
    node.change_secret("gatewise-keys", keys_json=known)
    opens = "a key that is added to the Secret opens the running pod"
    wait_for(opens, lambda: replica.ask("/models", key) == 200, seconds=30)


def check_training(node: Node, replica: Replica, *, long: bool) -> None:
    """Train as the Job does: without data, a first version, and in the long form a worse one."""
    job = named(render(FOLDER / "overlays" / "train-once"), "Job")
    [pod] = pods((job,))
    [container] = pod.spec["containers"]
    [stops, _] = job["spec"]["podFailurePolicy"]["rules"]
    final = stops["onExitCodes"]["values"]
    reviews = node.claim("gatewise-data") / "reviews.csv"
    store = node.claim("gatewise-store") / "reviews"

    def train(name: str) -> tuple[int, str]:
        return node.finish(pod, container, arguments=[*container["args"], *SHORT], job=name)

    status, log = train("without-data")
    check("a Job without data is not tried again", status in final, log.strip().splitlines()[-1])
    write_reviews(reviews)
    began = time.monotonic()
    status, log = train("first")
    if status:
        raise SystemExit(f"FAIL a Job trains: {status}\n{log}")
    check("a Job trains without any network", True, f"{time.monotonic() - began:.0f} s")
    ready = "the running pod is ready with what the Job published"
    wait_for(ready, lambda: replica.probe("readinessProbe") == 200, seconds=60)
    if not long:
        return
    write_reviews(reviews, shuffled=True)
    status, log = train("refused")
    check("a Job that the gate refuses is not tried again", status == 3 and status in final, status)
    check("and publishes nothing", sorted(path.name for path in store.glob("[0-9]*")) == ["1"])
    refused = list((node.claim("gatewise-work") / "refused").glob("refused/reviews/1"))
    check("what was refused is kept in the folder of the Job", len(refused) == 1)


def check_end(replicas: list[Replica], *, key: str, model: str) -> None:
    """End one of two replicas under load, as a kubelet does while proxies learn of it late."""
    ending, _ = replicas
    with Load([*replicas], key=key, model=model) as load:
        time.sleep(CALM_SECONDS)
        learns = threading.Timer(LEARNT_SECONDS, load.targets.remove, [ending])
        learns.start()
        time.sleep(ending.pause())
        check("it is ready in its pause", ending.probe("readinessProbe") == 200)
        watch = threading.Timer(1, lambda: drained.append(ending.probe("readinessProbe")))
        drained: list[int] = []
        watch.start()
        _, status = ending.terminate()
        learns.join()
        time.sleep(CALM_SECONDS)
    check("it is not ready while it drains", drained == [503], drained)
    # The first process of a container survives the signal that it sends itself at the end.
    check("it ends by itself", status in (0, 143), status)
    lost = f"{load.answered} answered, {len(load.failures)} lost"
    check("no request is lost", not load.failures, f"{lost} {load.failures[:3]}")
    check("many were asked", load.answered > 500, load.answered)


def check_pull(node: Node, key: str) -> None:
    """Pull a version as the init container does, here from files, and answer from it."""
    [pod] = pods((named(render(FOLDER / "overlays" / "production"), "Deployment"),))
    [pull] = pod.spec["initContainers"]
    name = "reviews"  # which the service of this overlay waits for
    arguments = ["file:///app/models/store/imdb-gru@1", f"--name={name}", *pull["args"][1:]]
    for what in ("a version is pulled", "one that is there already is not pulled again"):
        status, log = node.finish(pod, pull, arguments=arguments, home="pulled")
        check(what, status == 0, log.strip())
    replica = Replica(node, pod, home="pulled")
    ready = "the pod is ready with what was pulled"
    wait_for(ready, lambda: replica.probe("readinessProbe") == 200, seconds=60)
    with Load([replica], key=key, model=name) as load:
        time.sleep(CALM_SECONDS)
    check("what was pulled answers", load.answered > 50 and not load.failures, load.failures[:3])
    run("docker", "rm", "--force", replica.id)


@contextmanager
def containers_ended() -> Iterator[None]:
    """Remove the containers that were started meanwhile."""
    listing = ["docker", "ps", "--all", "--quiet", "--no-trunc"]
    before = set(run(*listing)[1].split())
    try:
        yield
    finally:
        if started := set(run(*listing)[1].split()) - before:
            run("docker", "rm", "--force", *started)


def main(long: bool = False) -> None:
    """Run all of it."""
    check_what_there_is()
    for target in ("service", "training"):
        run("docker", "build", "--target", target, "--tag", f"gatewise-{target}:{TAG}", ".")
    with tempfile.TemporaryDirectory() as folder, containers_ended():
        Path(folder).chmod(0o755)
        node = Node(Path(folder))
        key, known = make_key(node)
        node.add_secret("gatewise-keys", keys_json=known)
        node.add_secret("gatewise-stream", secret=secrets.token_hex(32))
        [pod] = pods((named(render(FOLDER / "overlays" / "small"), "Deployment"),))
        first = Replica(node, pod)
        wait_for("the process listens", lambda: first.probe("startupProbe") == 200, seconds=60)
        check("it is not ready without a model", first.probe("readinessProbe") == 503)
        check("and has no reason to start anew", first.probe("livenessProbe") == 200)
        check_new_key(node, first)
        check_training(node, first, long=long)
        second = Replica(node, pod)
        ready = "a second replica is ready"
        wait_for(ready, lambda: second.probe("readinessProbe") == 200, seconds=60)
        check_end([first, second], key=key, model="reviews")
        check("the other one stays as it was", second.is_running(), f"peak {second.peak()} MiB")
        check_pull(node, key)


if __name__ == "__main__":
    typer.run(main)
