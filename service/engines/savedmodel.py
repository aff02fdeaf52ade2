"""Runs the SavedModel in TensorFlow: the reference engine."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from models.batching import Ids
from models.golden import Probabilities
from service.engines.protocol import BatchState


class SavedModelEngine:
    """Loads a version's SavedModel. TensorFlow is imported only when this engine is chosen.

    Args:
        folder: The version's folder.
        threads: Threads that one computation may use; fixed by the first engine of a process.
    """

    name = "savedmodel"

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self._tensorflow = _start_tensorflow(threads)
        # The signatures live only as long as their object.
        self._loaded = self._tensorflow.saved_model.load(str(folder))
        self._predict = self._loaded.signatures["serving_default"]
        self._step = self._loaded.signatures.get("step")  # only in a streamable version

    def predict(self, ids: Ids) -> Probabilities:
        """See Engine."""
        outputs = self._predict(ids=self._tensorflow.constant(ids))
        probabilities: Probabilities = outputs["probabilities"].numpy()
        return probabilities

    def step(self, ids: Ids, state: BatchState) -> tuple[Probabilities, BatchState]:
        """See Engine."""
        constant = self._tensorflow.constant
        tensors = {name: constant(value) for name, value in state.items()}
        outputs = self._step(ids=constant(ids), **tensors)
        after = {name: outputs[f"next_{name}"].numpy() for name in state}
        return outputs["probabilities"].numpy(), after


def _start_tensorflow(threads: int) -> Any:
    import tensorflow

    with suppress(RuntimeError):  # already started, with the threads of the first engine
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    return tensorflow
