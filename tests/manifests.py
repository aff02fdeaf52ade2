"""The manifests of deploy/kubernetes, as Kustomize renders them."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = tuple(sorted(path.parent for path in FOLDER.glob("overlays/*/kustomization.yaml")))
KUSTOMIZE = 5  # release from which on components and these patches are understood

Document = dict[str, Any]


@cache
def why_not() -> str | None:
    """Return why nothing can be rendered here; None if it can."""
    if shutil.which("kubectl") is None:
        return "kubectl is not installed"
    said = json.loads(_run("kubectl", "version", "--client", "--output", "json"))
    release = said.get("kustomizeVersion", "v0")
    if int(release.removeprefix("v").partition(".")[0]) < KUSTOMIZE:
        return f"kubectl renders by Kustomize {release}, and v{KUSTOMIZE} is needed"
    return None


@cache
def render(folder: Path) -> tuple[Document, ...]:
    """Return what `kubectl apply -k FOLDER` would apply."""
    return tuple(yaml.safe_load_all(_run("kubectl", "kustomize", str(folder))))


def named(documents: tuple[Document, ...], kind: str, name: str | None = None) -> Document:
    """Return the only document of a kind, or the one of a name."""
    [found] = [
        each
        for each in documents
        if each["kind"] == kind and name in (None, each["metadata"]["name"])
    ]
    return found


@dataclass(frozen=True)
class Pod:
    """The pods that a document makes: its kind, their labels and their specification."""

    kind: str
    labels: dict[str, str]
    spec: Document

    @property
    def containers(self) -> list[Document]:
        """Containers of the pod, those that run before the others first."""
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def pods(documents: tuple[Document, ...]) -> Iterator[Pod]:
    """Yield the pods of all documents; that of KServe has no labels here."""
    for each in documents:
        kind, spec = each["kind"], each.get("spec", {})
        if kind == "ClusterServingRuntime":
            own = ("supportedModelFormats", "annotations")
            yield Pod(kind, {}, {key: part for key, part in spec.items() if key not in own})
            continue
        if kind == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec:
            template = spec["template"]
            yield Pod(kind, template["metadata"]["labels"], template["spec"])


def variables(container: Document) -> dict[str, str]:
    """Return the variables of a container whose values stand in the manifest."""
    return {each["name"]: each["value"] for each in container.get("env", ()) if "value" in each}


@dataclass(frozen=True)
class Image:
    """What the Dockerfile says of one target."""

    user: int
    group: int
    port: int | None
    entry: list[str]
    command: list[str]
    variables: dict[str, str]

    def command_line(self, container: Document) -> list[str]:
        """Return what a container of this image runs."""
        entry = container.get("command", self.entry)
        usual = self.command if "command" not in container else []
        return [*entry, *container.get("args", usual)]


def image_of(container: Document) -> Image:
    """Return what the Dockerfile says of a container's image."""
    target = re.search(r"gatewise-(\w+)", container["image"])
    assert target is not None, container["image"]
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    [stage] = [each for each in stages if each.splitlines()[0].endswith(f"AS {target[1]}")]
    [base] = [each for each in stages if each.splitlines()[0].endswith("AS base")]
    port = re.search(r"^EXPOSE (\d+)$", stage, re.MULTILINE)
    assert re.search(r"^USER gatewise$", stage, re.MULTILINE)
    return Image(
        user=int(_find(r"--uid (\d+)", base)),
        group=int(_find(r"--gid (\d+)", base)),
        port=int(port[1]) if port else None,
        entry=_words("ENTRYPOINT", stage),
        command=_words("CMD", stage),
        variables=dict(
            word.split("=", 1)
            for line in re.findall(r"^ENV (.*)$", stage, re.MULTILINE)
            for word in shlex.split(line)
        ),
    )


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match[1]


def _words(instruction: str, stage: str) -> list[str]:
    """Return the words of an instruction; [] if there is none, and the last one counts."""
    found: list[list[str]] = [
        json.loads(match) for match in re.findall(rf"^{instruction} (\[.*\])$", stage, re.MULTILINE)
    ]
    return found[-1] if found else []


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr}"
    return done.stdout
