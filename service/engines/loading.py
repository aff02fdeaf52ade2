"""Chooses and opens the engine for a version."""

from dataclasses import dataclass
from typing import Literal, get_args

from models.errors import GatewiseError, VersionCorrupt
from models.network import Network, check_state
from models.replay import EngineName
from models.versions import ONNX, Version
from service.engines.batched import compute
from service.engines.native.layout import Precision
from service.engines.protocol import Engine, EngineUnavailable

EngineKind = Literal["auto", EngineName]

PREFERRED: tuple[EngineName, ...] = get_args(EngineName)
"""What `auto` tries, the fastest first."""
THREADS = 1  # of one call; the service computes several requests at the same time instead


@dataclass(frozen=True)
class OpenedEngine:
    """The engine that serves a version.

    Args:
        engine: The engine, which has passed its checks.
        passed_over: Why each engine that `auto` prefers does not serve.
    """

    engine: Engine
    passed_over: dict[EngineName, GatewiseError]

    @property
    def failed(self) -> bool:
        """Whether an engine that should serve here gave wrong answers or none."""
        return any(not isinstance(why, EngineUnavailable) for why in self.passed_over.values())

    def __str__(self) -> str:
        reasons = "; ".join(f"{name}: {why}" for name, why in self.passed_over.items())
        return f"the {self.engine.name} engine" + (f" (not {reasons})" if reasons else "")


def open_engine(
    version: Version, *, kind: EngineKind, precision: Precision = "int16"
) -> OpenedEngine:
    """Return an engine for a verified version, warmed up and checked on its golden predictions.

    `auto` takes the first of native, ONNX and SavedModel that passes its checks.

    Args:
        version: The version.
        kind: The engine, or `auto`.
        precision: Of the native engine.

    Raises:
        GatewiseError: No engine can serve the version; says why the last one cannot.
    """
    passed_over: dict[EngineName, GatewiseError] = {}
    kinds = PREFERRED if kind == "auto" else (kind,)
    for each in kinds:
        try:
            return OpenedEngine(_open(version, kind=each, precision=precision), passed_over)
        except (EngineUnavailable, VersionCorrupt) as error:
            if each == kinds[-1]:
                raise
            passed_over[each] = error
    raise AssertionError("there is always a last engine")


def load_engine(
    version: Version, *, kind: EngineName, threads: int, precision: Precision = "int16"
) -> Engine:
    """Return the engine of one kind, without warm-up and check.

    The runtime is imported here, so a process loads only the one it uses.
    """
    if kind == "native":
        from service.engines.native.engine import NativeEngine

        return NativeEngine.load(version, precision=precision)
    if kind == "savedmodel":
        from service.engines.savedmodel import SavedModelEngine

        return SavedModelEngine(version.path, threads=threads)
    from service.engines.onnx import OnnxEngine

    check_state(version.metadata)
    return OnnxEngine(version.path, network=Network.of(version.metadata), threads=threads)


def _open(version: Version, *, kind: EngineName, precision: Precision) -> Engine:
    try:
        if kind == "onnx":
            version.verify_file(ONNX)
        engine = load_engine(version, kind=kind, threads=THREADS, precision=precision)
        state = version.metadata.state
        version.golden.check_probabilities(
            lambda ids: compute(engine, ids, state=state), tolerance=engine.tolerance
        )
    except GatewiseError:
        raise
    except ImportError as error:
        raise EngineUnavailable(f"the {kind} engine is not installed here: {error}") from error
    except Exception as error:  # each runtime has its own error types
        raise VersionCorrupt(f"{version.path}: the {kind} engine cannot run it: {error}") from error
    return engine
