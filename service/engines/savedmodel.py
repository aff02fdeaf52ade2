"""Runs the SavedModel in TensorFlow: the reference engine."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from models.batching import Row, pad
from models.golden import TOLERANCE, Probabilities
from service.engines.protocol import BatchState
from service.engines.savedmodel_graph import check_graph


class SavedModelEngine:
    """Loads a version's SavedModel. TensorFlow is imported only when this engine is chosen.

    Args:
        folder: The version's folder.
        threads: Threads that one computation may use; fixed by the first engine of a process.

    Raises:
        VersionCorrupt: The graph could do more than compute.
    """

    name = "savedmodel"
    tolerance = TOLERANCE

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        check_graph(folder)
        self._tensorflow = _start_tensorflow(threads)
        # The signatures live only as long as their object.
        self._loaded = self._tensorflow.saved_model.load(str(folder))
        self._predict = self._loaded.signatures["serving_default"]
        self._step = self._loaded.signatures.get("step")  # only in a streamable version

    def predict(self, rows: Sequence[Row]) -> Probabilities:
        """See Engine."""
        outputs = self._predict(ids=self._tensorflow.constant(pad(rows)))
        probabilities: Probabilities = outputs["probabilities"].numpy()
        return probabilities

    def step(self, rows: Sequence[Row], state: BatchState) -> tuple[Probabilities, BatchState]:
        """See Engine."""
        constant = self._tensorflow.constant
        tensors = {name: constant(value) for name, value in state.items()}
        outputs = self._step(ids=constant(pad(rows)), **tensors)
        after = {name: outputs[f"next_{name}"].numpy() for name in state}
        return outputs["probabilities"].numpy(), after


def _start_tensorflow(threads: int) -> Any:
    import tensorflow

    with suppress(RuntimeError):  # already started, with the threads of the first engine
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    return tensorflow
