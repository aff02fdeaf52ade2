"""Runs `model.onnx` in ONNX Runtime, without TensorFlow.

ONNX Runtime opens no file: it gets the bytes that were checked, and the tables mapped into memory.
"""

from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from models.batching import Row, pad
from models.golden import TOLERANCE, Probabilities
from models.network import Network
from service.engines.onnx_file import read_onnx
from service.engines.protocol import BatchState, initial_state


class OnnxEngine:
    """Loads the ONNX model of a version.

    Args:
        folder: The version's folder.
        network: Its network.
        threads: Threads that one computation may use.

    Raises:
        VersionCorrupt: The file is not the graph of this network.
    """

    name = "onnx"
    tolerance = TOLERANCE

    def __init__(self, folder: Path, *, network: Network, threads: int = 1) -> None:
        file = read_onnx(folder, network)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        # Texts differ in length, so memory plans and arenas for each shape only waste memory.
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
        values = map(onnxruntime.OrtValue.ortvalue_from_numpy, file.tables.values())
        self._tables = list(values)  # which the session does not keep
        options.add_external_initializers(list(file.tables), self._tables)
        self._session = onnxruntime.InferenceSession(
            file.content, options, providers=["CPUExecutionProvider"]
        )
        self._state = network.state
        self._next = [f"next_{tensor.name}" for tensor in self._state]

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
