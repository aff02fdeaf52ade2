"""Chooses and opens the engine for a version."""

import logging
from typing import Literal

from models.errors import GatewiseError, VersionCorrupt
from models.replay import EngineName
from models.versions import ONNX, Version
from service.engines.batched import compute
from service.engines.protocol import Engine

EngineKind = Literal["auto", EngineName]

THREADS = 1  # of one call; the service computes several requests at the same time instead

_log = logging.getLogger(__name__)


def open_engine(version: Version, *, kind: EngineKind) -> Engine:
    """Return an engine for a verified version, warmed up and checked on its golden predictions.

    `auto` takes the ONNX model if it passes its checks, otherwise the SavedModel.

    Raises:
        VersionCorrupt: The engine cannot load the version, or fails its golden predictions.
    """
    if kind != "auto":
        return _open(version, kind=kind)
    try:
        return _open(version, kind="onnx")
    except VersionCorrupt as error:
        _log.warning("%s: falling back to the SavedModel: %s", version.path, error)
        return _open(version, kind="savedmodel")


def load_engine(version: Version, *, kind: EngineName, threads: int) -> Engine:
    """Return the engine of one kind, without warm-up and check.

    The runtime is imported here, so a process loads only the one it uses.
    """
    if kind == "savedmodel":
        from service.engines.savedmodel import SavedModelEngine

        return SavedModelEngine(version.path, threads=threads)
    from service.engines.onnx import OnnxEngine

    return OnnxEngine(version.path, state=version.metadata.state, threads=threads)


def _open(version: Version, *, kind: EngineName) -> Engine:
    try:
        if kind == "onnx":
            version.verify_file(ONNX)
        engine = load_engine(version, kind=kind, threads=THREADS)
        state = version.metadata.state
        version.golden.check_probabilities(lambda ids: compute(engine, ids, state=state))
    except GatewiseError:
        raise
    except ImportError as error:
        raise VersionCorrupt(f"the {kind} engine is not installed here: {error}") from error
    except Exception as error:  # each runtime has its own error types
        raise VersionCorrupt(f"{version.path}: the {kind} engine cannot run it: {error}") from error
    return engine
