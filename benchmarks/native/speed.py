"""Times the engines bare, side by side, and measures what the processor can do at most."""

import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.cells import CELLS
from models.metadata import Architecture
from models.network import Network
from models.versions import Version
from service.engines.native.compilation import INSTRUCTION_SETS, find_compiler
from service.engines.native.engine import NativeEngine
from service.engines.native.layout import Precision
from service.engines.native.library import find_library, supported
from service.engines.onnx import OnnxEngine
from service.engines.protocol import Engine

ROUNDS = 5
TOKENS = 15_000  # of the calls of a round, about


@dataclass(frozen=True)
class Limit:
    """The least seconds of a token on this processor.

    Args:
        memory: To read the recurrent weights from the second cache, once a step.
        products: To multiply.
    """

    memory: float
    products: float

    def seconds(self, *, texts: int) -> float:
        """Return the least seconds of a token where so many texts share the reading."""
        return max(self.memory / texts, self.products)


def time_engines(
    version: Version, rows: Sequence[np.ndarray], *, batches: Sequence[int]
) -> dict[int, dict[str, list[float]]]:
    """Return the seconds of a token in each round, by texts of a call and engine.

    Texts of a call are of like length, as the service puts them together: ONNX Runtime pads them.
    """
    engines, rows = _open_engines(version), sorted(rows, key=len)
    found: dict[int, dict[str, list[float]]] = {}
    for texts in batches:
        calls = [rows[i : i + texts] for i in range(0, len(rows) - texts + 1, texts)]
        times: dict[str, list[float]] = {name: [] for name in engines}
        for number in range(ROUNDS + 1):
            drawn = _draw(calls, seed=number)
            for name, engine in engines.items():
                seconds = _time(engine, drawn)
                if number:  # the first round is a warm-up
                    times[name].append(seconds)
        found[texts] = times
    return found


def _open_engines(version: Version) -> dict[str, Engine]:
    engines: dict[str, Engine] = {
        "onnx": OnnxEngine(version.path, network=Network.of(version.metadata))
    }
    precisions: Sequence[Precision] = ("int16", "int8", "float32")
    for name in supported():
        for precision in precisions if name != "portable" else precisions[:1]:
            engines[f"{name} {precision}"] = NativeEngine.load(
                version, precision=precision, library=find_library(name)
            )
    return engines


def _draw(calls: Sequence[Sequence[np.ndarray]], *, seed: int) -> list[Sequence[np.ndarray]]:
    """Return calls of a round, the same for all engines: about TOKENS tokens."""
    mean = sum(len(row) for rows in calls for row in rows) / len(calls)
    return random.Random(seed).sample(list(calls), max(1, min(len(calls), round(TOKENS / mean))))


def _time(engine: Engine, calls: Sequence[Sequence[np.ndarray]]) -> float:
    """Return the seconds of a token."""
    started = time.perf_counter()
    for rows in calls:
        engine.predict(rows)
    seconds = time.perf_counter() - started
    return seconds / sum(len(row) for rows in calls for row in rows)


def measure_limit(shape: Architecture, *, instructions: str) -> Limit:
    """Return the limit of products of 16 bits with an instruction set."""
    flags = next(each.flags for each in INSTRUCTION_SETS if each.name == instructions)
    numbers = CELLS[shape.cell].blocks * shape.units**2 * shape.layers
    source = Path(__file__).with_name("limits.c")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "limits"
        subprocess.run(
            [*find_compiler(), "-O2", *flags, str(source), "-o", str(program)], check=True
        )
        done = subprocess.run(
            [str(program), str(2 * numbers)], check=True, capture_output=True, text=True
        )
    from_cache, products = map(float, done.stdout.split())
    return Limit(2 * numbers / from_cache, numbers / products)


def median_ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """Return how many times as fast `fast` is, the median of the rounds."""
    return statistics.median(one / other for one, other in zip(slow, fast, strict=True))
