"""Lists the contestants: how each is installed, started and asked."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

TENSORFLOW = "tensorflow>=2.21,<2.22"
APPS = "benchmarks.serving.contestants"


@dataclass(frozen=True)
class Contestant:
    """A server with the model behind it.

    Args:
        name: Name in the table.
        packages: Packages of its environment; none for Gatewise.
        command: Returns the command that starts it, from the folder of programs and a port.
        body: The body of a request for a text.
        path: Path of the URL for predictions.
        ready: Path of the URL that answers 200 once it is ready; None to ask for a prediction.
        environment: Environment variables.
        settings: The best settings found, in words.
    """

    name: str
    packages: tuple[str, ...]
    command: Callable[[Path, int], list[str]]
    settings: str
    body: Callable[[str], str] = lambda text: json.dumps({"text": text})
    path: str = "/predict"
    ready: str | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def environment_name(self) -> str:
        """Name of the folder of its packages: the first word of its name."""
        return self.name.split()[0].strip(",").lower()


def gatewise(engine: str, *, name: str | None = None) -> Contestant:
    """Return the service with an engine, which serves the one version of the place's store."""

    def command(_programs: Path, port: int) -> list[str]:
        store = "{store}"
        return [sys.executable, "-m", "service", "--port", str(port), "--store", store]

    return Contestant(
        name or f"Gatewise, {engine}",
        (),
        command,
        "one process, one computing thread",
        ready="/readyz",
        environment={"GATEWISE_ENGINE": engine, "GATEWISE_THREADS": "1"},
    )


def _module(name: str, *arguments: str) -> Callable[[Path, int], list[str]]:
    return lambda programs, port: [
        str(programs / "python"),
        "-m",
        f"{APPS}.{name}",
        str(port),
        *arguments,
    ]


# Not a contestant: the least that a service in Python needs.
BARE = Contestant(
    "bare uvicorn",
    (),
    lambda _programs, port: [
        *(sys.executable, "-m", "uvicorn", f"{APPS}.bare:app"),
        *("--port", str(port), "--log-level", "warning", "--no-access-log"),
    ],
    "uvloop and httptools, no framework",
)

LINEUP = (
    gatewise("native"),
    gatewise("onnx"),
    gatewise("savedmodel"),
    Contestant(
        "FastAPI and tf.saved_model.load",
        (TENSORFLOW, "fastapi", "uvicorn[standard]"),
        lambda programs, port: [
            str(programs / "uvicorn"),
            f"{APPS}.plain:app",
            *("--port", str(port), "--log-level", "warning"),
        ],
        "uvicorn with uvloop and httptools, one worker",
    ),
    Contestant(
        "BentoML",
        (TENSORFLOW, "bentoml"),
        lambda programs, port: [
            str(programs / "bentoml"),
            "serve",
            f"{APPS}.bentoml_app:Sentiment",
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        "adaptive batching, at most 32 texts",
        body=lambda text: json.dumps({"texts": [text]}),
        environment={"BENTOML_DO_NOT_TRACK": "1"},
    ),
    Contestant(
        "LitServe",
        (TENSORFLOW, "litserve"),
        _module("litserve_app", "16", "0.005"),
        "batches of at most 16 texts within 5 ms",
    ),
    Contestant(
        "Ray Serve",
        (TENSORFLOW, "ray[serve]"),
        _module("ray_app", "16", "0.005"),
        "@serve.batch, at most 16 texts within 5 ms",
        environment={"RAY_USAGE_STATS_ENABLED": "0"},
    ),
    Contestant(
        "MLflow",
        (TENSORFLOW, "mlflow"),
        _module("mlflow_app"),
        "its model server, one worker",
        body=lambda text: json.dumps({"inputs": [text]}),
        path="/invocations",
    ),
)
