"""The exported network is the trained one, in both forms, whole and in pieces."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from models.batching import pad
from models.versions import ONNX, WEIGHTS
from service.compute import compute
from service.engines.engine import Engine, initial_state
from service.engines.onnx import OnnxEngine
from service.engines.savedmodel import SavedModelEngine
from training.cases import awkward_rows
from training.errors import ExportError

pytestmark = pytest.mark.tensorflow

VOCABULARY = 50
EXPORTS = list(itertools.product(("lstm", "gru", "rnn"), (1, 2)))


class Exported:
    """A network with weights drawn at random, and its export."""

    def __init__(self, folder: Path, *, cell: str, layers: int) -> None:
        from training.export import export_saved_model, round_embedding, state_tensors
        from training.network import build_network
        from training.onnx_twin import export_onnx
        from training.settings import NetworkSettings

        self.folder = folder
        self.settings = NetworkSettings(cell=cell, layers=layers, units=12, embedding=10)
        self.network = build_network(self.settings, vocabulary=VOCABULARY, labels=3, seed=0)
        random = np.random.default_rng(0)
        for weight in self.network.weights:
            if weight.dtype == "float32":
                weight.assign(random.normal(0, 0.5, weight.shape))
        round_embedding(self.network)
        export_saved_model(self.network, self.settings, folder=folder)
        export_onnx(self.network, self.settings, folder=folder)
        self.state = state_tensors(self.settings)

    def engines(self) -> list[Engine]:
        return [OnnxEngine(self.folder, state=self.state), SavedModelEngine(self.folder)]

    def expected(self, rows: list[list[int]]) -> np.ndarray:
        """What Keras says, each row alone, so that no padding is involved."""
        from keras import ops

        rows = [row or [0] for row in rows]
        return np.concatenate([ops.softmax(self.network(pad([row]))) for row in rows])


@pytest.fixture(scope="module", params=EXPORTS, ids=lambda export: f"{export[0]}-{export[1]}")
def exported(request: pytest.FixtureRequest, tmp_path_factory) -> Exported:
    cell, layers = request.param
    return Exported(tmp_path_factory.mktemp("exported"), cell=cell, layers=layers)


def test_engines_agree_with_keras_whatever_else_is_in_the_batch(exported: Exported) -> None:
    rows = [row[:90] for row in awkward_rows(vocabulary=VOCABULARY)]
    expected = exported.expected(rows)
    for engine in exported.engines():
        together = engine.predict(pad(rows))
        np.testing.assert_allclose(together, expected, rtol=0, atol=1e-5)
        for index in (0, 1, 5, len(rows) - 1):
            alone = engine.predict(pad([rows[index]]))
            np.testing.assert_allclose(alone[0], expected[index], rtol=0, atol=1e-5)


def test_pieces_end_where_the_whole_does(exported: Exported) -> None:
    random = np.random.default_rng(1)
    rows = awkward_rows(vocabulary=VOCABULARY)[:8]
    for engine in exported.engines():
        whole = engine.predict(pad(rows))
        state = initial_state(exported.state, batch=len(rows))
        rest = [list(row) for row in rows]
        while any(rest):
            # Some rows get no token in a step; their state must stay as it is.
            cuts = [random.integers(0, 60) for _ in rest]
            piece = pad([row[:cut] for row, cut in zip(rest, cuts, strict=True)])
            rest = [row[cut:] for row, cut in zip(rest, cuts, strict=True)]
            probabilities, state = engine.step(piece, state)
        np.testing.assert_allclose(probabilities, whole, rtol=0, atol=1e-5)


def test_a_long_text_token_by_token_ends_where_the_whole_does(exported: Exported) -> None:
    row = [5, 6, 7, 8] * 5_000
    engine = OnnxEngine(exported.folder, state=exported.state)
    state = initial_state(exported.state, batch=1)
    for token in row:
        probabilities, state = engine.step(pad([[token]]), state)
    whole = compute(engine, [row], state=exported.state)
    np.testing.assert_allclose(probabilities, whole, rtol=0, atol=1e-5)


def test_a_row_of_padding_is_finite_and_changes_nothing(exported: Exported) -> None:
    for engine in exported.engines():
        empty = engine.predict(np.zeros((1, 3), np.int32))
        assert np.isfinite(empty).all()
        _, state = engine.step(pad([[5, 6, 7]]), initial_state(exported.state, batch=1))
        before = {name: value.copy() for name, value in state.items()}
        _, after = engine.step(np.zeros((1, 4), np.int32), state)
        for name, value in after.items():
            np.testing.assert_array_equal(value, before[name])


def test_every_weight_is_stored_once(exported: Exported) -> None:
    import tensorflow as tf

    stored = tf.train.list_variables(str(exported.folder / "variables/variables"))
    names = [name for name, _ in stored if "VARIABLE_VALUE" in name]
    assert len(names) == len(exported.network.trainable_weights)
    embedding = VOCABULARY * 10 * 2
    others = sum(w.numpy().nbytes for w in exported.network.trainable_weights[1:])
    size = (exported.folder / WEIGHTS).stat().st_size
    assert size < 1.1 * (embedding + others) + 2_000


def test_the_onnx_file_borrows_the_embedding(exported: Exported) -> None:
    import onnx

    model = onnx.load(exported.folder / ONNX, load_external_data=False)
    (table,) = [tensor for tensor in model.graph.initializer if tensor.external_data]
    assert table.dims == [VOCABULARY, 10]
    assert {entry.key: entry.value for entry in table.external_data}["location"] == WEIGHTS
    operators = [node.op_type for node in model.graph.node]
    fused = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}[exported.settings.cell]
    assert operators.count(fused) == exported.settings.layers
    assert not {"Loop", "Scan"} & set(operators)


def test_no_path_of_the_machine_is_in_the_graph(exported: Exported) -> None:
    root = str(Path(__file__).resolve().parents[2]).encode()
    for path in exported.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert root not in content
            assert str(exported.folder).encode() not in content


def test_an_operator_for_accelerators_fails_the_export(tmp_path, monkeypatch) -> None:
    import tensorflow as tf

    from training import export

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32)])
        def serve(self, values):
            return {"values": tf.nn.relu(values)}

    module = Module()
    tf.saved_model.save(module, str(tmp_path), signatures=module.serve)
    export.refuse_operators(tmp_path, prefix="Cudnn")
    with pytest.raises(ExportError, match="the exported graph needs an accelerator: Relu"):
        export.refuse_operators(tmp_path, prefix="Relu")
