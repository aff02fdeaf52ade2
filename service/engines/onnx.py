"""Runs `model.onnx` in ONNX Runtime, without TensorFlow."""

from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from models.batching import Row, pad
from models.golden import TOLERANCE, Probabilities
from models.metadata import StateTensor
from models.versions import ONNX
from service.engines.protocol import BatchState, initial_state


class OnnxEngine:
    """Loads the ONNX model of a version.

    Args:
        folder: The version's folder.
        state: The state tensors of its metadata.
        threads: Threads that one computation may use.
    """

    name = "onnx"
    tolerance = TOLERANCE

    def __init__(self, folder: Path, *, state: tuple[StateTensor, ...], threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        # Texts differ in length, so memory plans and arenas for each shape only waste memory.
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(folder / ONNX), options, providers=["CPUExecutionProvider"]
        )
        self._state = state
        self._next = [f"next_{tensor.name}" for tensor in state]

    def predict(self, rows: Sequence[Row]) -> Probabilities:
        """See Engine."""
        inputs = {"ids": pad(rows), **initial_state(self._state, batch=len(rows))}
        probabilities: Probabilities = self._session.run(["probabilities"], inputs)[0]
        return probabilities

    def step(self, rows: Sequence[Row], state: BatchState) -> tuple[Probabilities, BatchState]:
        """See Engine."""
        outputs = ["probabilities", *self._next]
        probabilities, *after = self._session.run(outputs, {"ids": pad(rows), **state})
        return probabilities, dict(zip(state, after, strict=True))
