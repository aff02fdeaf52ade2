"""The exported classifier is the trained one, in both forms, whole and in pieces."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from models.cells import CELLS, CellLayer, CellName, state_names, weight_names
from models.metadata import Task
from models.ngrams import NAME, REMEMBERED, spread
from models.variables import find_variables
from models.versions import ONNX, WEIGHTS, read_weight
from service.engines.batched import compute
from service.engines.gates import Layers
from service.engines.native.engine import NativeEngine
from service.engines.native.layout import Precision
from service.engines.native.library import find_library
from service.engines.native.packing import pack
from service.engines.native.weights import Weights
from service.engines.onnx import OnnxEngine
from service.engines.protocol import Engine, EngineUnavailable, initial_state
from service.engines.savedmodel import SavedModelEngine
from tests.rules import LIKELIEST, several
from training.errors import ExportError
from training.export.cases import awkward_rows, rows_of_all_tokens
from training.linear.ngrams import NgramModel
from training.settings import NetworkSettings

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.unmeasured,  # test_serving.py uses the same parts of the engines
]

VOCABULARY, EMBEDDING, BUCKETS = 50, 10, 1_009


@dataclass(frozen=True)
class Kind:
    """What an export may differ in."""

    cell: CellName
    layers: int
    labels: int
    task: Task = "single_label"
    ngrams: bool = True

    def __str__(self) -> str:
        table = "ngrams" if self.ngrams else "alone"
        return f"{self.cell}-{self.layers}-{self.labels}-{self.task}-{table}"


HEADS: list[tuple[int, Task]] = [(2, "single_label"), (3, "single_label"), (3, "multi_label")]
KINDS = [
    *(
        Kind(cell, layers, *head)
        for cell in get_args(CellName)
        for layers in (1, 2)
        for head in HEADS
    ),
    Kind("lstm", 1, 3, "multi_label", ngrams=False),
    Kind("gru", 2, 2, ngrams=False),
    Kind("rnn", 1, 3, ngrams=False),
]
LONG = [
    Kind("lstm", 2, 3),
    Kind("gru", 1, 3, "multi_label"),
    Kind("gru", 2, 2, ngrams=False),
    Kind("rnn", 1, 2),
]


class Exported:
    """A classifier with weights drawn at random, and its export."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        from training.calibration.scaling import Scaling
        from training.export.onnx import export_onnx
        from training.export.savedmodel import export_saved_model
        from training.export.state import describe_network
        from training.network.build import build_network, round_embedding
        from training.recipe.classifier import TrainedClassifier

        self.folder, self.kind = folder, kind
        shape = NetworkSettings(cell=kind.cell, layers=kind.layers, units=12, embedding=EMBEDDING)
        random = np.random.default_rng(0)
        self.network = build_network(shape, vocabulary=VOCABULARY, labels=kind.labels, seed=0)
        for weight in self.network.weights:
            if weight.dtype == "float32":
                weight.assign(random.normal(0, 0.5, weight.shape))
        round_embedding(self.network)
        self.ngrams = draw_table(kind, random) if kind.ngrams else None
        self.classifier = TrainedClassifier(
            shape=shape,
            network=self.network,
            ngrams=self.ngrams,
            scaling=Scaling(
                (0.7, 1.3) if kind.ngrams else (0.7,),
                np.linspace(-0.5, 0.5, kind.labels, dtype=np.float32),
            ),
            rule=LIKELIEST if kind.task == "single_label" else several(*(0.5,) * kind.labels),
        )
        export_saved_model(self.classifier, folder=folder)
        export_onnx(self.classifier, folder=folder)
        self.shape = describe_network(self.classifier)
        self.state = self.shape.state
        self._expected: dict[tuple[int, ...], np.ndarray] = {}

    @cached_property
    def graphs(self) -> list[Engine]:
        """The engines that run a file of the export."""
        return [OnnxEngine(self.folder, network=self.shape), SavedModelEngine(self.folder)]

    @cached_property
    def engines(self) -> list[Engine]:
        return [*self.graphs, *self.native("float32")]

    def native(self, precision: Precision) -> list[NativeEngine]:
        """The native engine of a precision; none where there is no compiler."""
        try:
            library = find_library()
        except EngineUnavailable:
            return []
        model = pack(self.weights, lanes=library.lanes, precision=precision)
        return [NativeEngine(model, library=library, state=self.state)]

    @property
    def weights(self) -> Weights:
        from training.export.weights import find_weights

        records = find_weights(self.classifier, folder=self.folder)
        found = {name: read_weight(self.folder, record) for name, record in records.items()}
        variables = find_variables(self.folder)
        head, bias = (read_weight(self.folder, variables[name]) for name in ("kernel", "bias"))
        names = [weight_names(self.kind.cell, layer) for layer in range(self.kind.layers)]
        return Weights(
            cell=self.kind.cell,
            embedding=found["embedding"],
            layers=tuple(CellLayer.of(self.kind.cell, [found[n] for n in each]) for each in names),
            head=np.array(head),
            head_bias=np.array(bias),
            exclusive=self.kind.task == "single_label",
            ngrams=found.get(NAME),
            ngram_scale=self.classifier.ngram_scale,
        )

    def expected(self, rows: list[list[int]]) -> np.ndarray:
        """What was trained says of each row alone, so that no padding is involved."""
        return np.concatenate([self._expect(row) for row in rows])

    def _expect(self, row: list[int]) -> np.ndarray:
        key = tuple(row)
        if key not in self._expected:
            self._expected[key] = self.classifier.probabilities([row])
        return self._expected[key]


def draw_table(kind: Kind, random: np.random.Generator) -> NgramModel:
    """Return a table of which each entry makes a difference, and none decides alone."""
    columns = 1 if (kind.task, kind.labels) == ("single_label", 2) else kind.labels
    table = random.integers(-127, 128, (BUCKETS, columns)).astype(np.int8)
    bias = random.normal(0, 1, columns).astype(np.float32)
    return NgramModel(table, 5e-5, bias, kind.labels)


def mark(kind: Kind) -> Any:
    """Leave deep networks with three labels to the slow tests."""
    marks = [pytest.mark.slow] if (kind.layers, kind.labels) == (2, 3) else []
    return pytest.param(kind, marks=marks)


@pytest.fixture(scope="module", params=map(mark, KINDS), ids=str)
def exported(request: pytest.FixtureRequest, tmp_path_factory) -> Exported:
    return Exported(tmp_path_factory.mktemp("exported"), request.param)


def test_engines_agree_with_training_whatever_else_is_in_the_batch(exported: Exported) -> None:
    rows = [row[:90] for row in awkward_rows(vocabulary=VOCABULARY)]
    expected = exported.expected(rows)
    assert expected.std(axis=0).min() > 0.02  # so that there is something to agree on
    for engine in exported.engines:
        together = engine.predict(rows)
        np.testing.assert_allclose(together, expected, rtol=0, atol=1e-5)
        for index in (0, 1, 5, len(rows) - 1):
            alone = engine.predict([rows[index]])
            np.testing.assert_allclose(alone[0], expected[index], rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "error"), [("int16", 1e-3), ("int8", 5e-2)])
def test_fixed_point_costs_a_stated_error(
    precision: Precision, error: float, exported: Exported
) -> None:
    rows = awkward_rows(vocabulary=VOCABULARY)[:12]
    expected = exported.expected(rows)
    if exported.kind.cell == "rnn":  # with weights at random its states are chaotic
        error *= 20
    for engine in exported.native(precision):
        np.testing.assert_allclose(engine.predict(rows), expected, rtol=0, atol=error)


def test_engines_and_training_come_to_what_double_precision_says(exported: Exported) -> None:
    from training.export.agreement import require_agreement
    from training.export.reference import ReferenceClassifier

    rows = [*awkward_rows(vocabulary=VOCABULARY)[:10], *rows_of_all_tokens(vocabulary=VOCABULARY)]
    reference = ReferenceClassifier.of(exported.classifier).answer(rows)
    answers = {
        type(engine).__name__: compute(engine, rows, state=exported.state)
        for engine in exported.engines
    }
    trained = {"training": exported.classifier.probabilities(rows)}
    for difference in require_agreement(answers | trained, reference):
        assert difference.share < 0.5, difference


@pytest.mark.parametrize("exported", LONG, indirect=True, ids=str)
def test_an_export_of_other_weights_is_found(exported: Exported) -> None:
    from training.export.agreement import require_agreement
    from training.export.reference import ReferenceClassifier

    rows = rows_of_all_tokens(vocabulary=VOCABULARY)
    right = ReferenceClassifier.of(exported.classifier)
    engine = {"engine": compute(exported.engines[0], rows, state=exported.state)}
    require_agreement(engine, right.answer(rows))
    first, *rest = right.layers
    halves = np.split(first.recurrent, 2, axis=1)
    swapped = {**first.weights, "recurrent": np.concatenate(halves[::-1], axis=1)}
    for wrong in (
        replace(right, embedding=np.roll(right.embedding, 1, axis=1)),
        replace(right, kernel=right.kernel * 1.01),
        replace(right, layers=(CellLayer(first.cell, swapped), *rest)),
        replace(right, bias=right.bias[::-1]),
    ):
        with pytest.raises(ExportError, match="the export is wrong"):
            require_agreement(engine, wrong.answer(rows))


def test_cells_in_numpy_come_to_the_states_of_the_engines(exported: Exported) -> None:
    from training.export.weights import find_weights

    kind, records = exported.kind, find_weights(exported.classifier, folder=exported.folder)
    weights = {name: read_weight(exported.folder, record) for name, record in records.items()}
    if exported.ngrams is not None:
        np.testing.assert_array_equal(weights[NAME], exported.ngrams.table)
    names = [weight_names(kind.cell, layer) for layer in range(kind.layers)]
    cells = [CellLayer.of(kind.cell, [weights[name] for name in layer]) for layer in names]
    layers = Layers(weights["embedding"], cells)
    first, rest = np.split(np.random.default_rng(2).integers(1, VOCABULARY, 60, np.int32), [25])
    for engine in exported.engines:
        state = initial_state(exported.state, batch=1)
        found = None
        for piece in (first, rest):
            _, state = engine.step(piece[None], state)
            found, gates = layers.read(piece, found)
            assert len(gates) == len(piece)
            for name, values in found.items():
                np.testing.assert_allclose(values, state[name][0], rtol=0, atol=1e-5)
        own = [name for layer in range(kind.layers) for name in state_names(kind.cell, layer)]
        assert list(found) == own
        assert set(found) == {name for name in state if name[0] in "hc" and name[1:].isdigit()}
    assert gates.shape == (len(rest), kind.layers, len(CELLS[kind.cell].gates))
    assert ((gates > 0) & (gates < 1)).all()


def test_ngrams_looked_up_come_to_what_the_engines_add(exported: Exported) -> None:
    lookup = exported.classifier.ngram_lookup
    if lookup is None:
        assert not exported.kind.ngrams
        return
    ids = np.random.default_rng(3).integers(1, VOCABULARY, 330, np.int32)  # with repetitions
    for engine in exported.engines:
        state, logits = initial_state(exported.state, batch=1), []
        for start in range(0, len(ids), 32):
            _, state = engine.step(ids[None, start : start + 32], state)
            columns = state["ngrams"] * np.sqrt(state["count"])
            logits.append(spread(columns, labels=exported.kind.labels)[0])
        expected = logits[-1] - np.array(logits[:-1])
        np.testing.assert_allclose(lookup.coming(ids, every=32), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("pieces", [[0, 1, 2], [0, 1, 5, 40]], ids=["tiny", "mixed"])
def test_pieces_end_where_the_whole_does(pieces: list[int], exported: Exported) -> None:
    random = np.random.default_rng(1)
    rows = awkward_rows(vocabulary=VOCABULARY)[:8]
    expected = exported.expected(rows)
    for engine in exported.engines:
        state = initial_state(exported.state, batch=len(rows))
        rest = [list(row) for row in rows]
        while any(rest):
            # N-grams lie across pieces, and a row that gets no token in a step keeps its state.
            cuts = random.choice(pieces, len(rest))
            piece = [row[:cut] for row, cut in zip(rest, cuts, strict=True)]
            rest = [row[cut:] for row, cut in zip(rest, cuts, strict=True)]
            probabilities, state = engine.step(piece, state)
        np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("exported", LONG, indirect=True, ids=str)
def test_a_long_text_token_by_token_ends_where_the_whole_does(exported: Exported) -> None:
    row = np.random.default_rng(2).integers(1, VOCABULARY, 5_000).tolist()
    engine = OnnxEngine(exported.folder, network=exported.shape)
    state = initial_state(exported.state, batch=1)
    for token in row:
        probabilities, state = engine.step([[token]], state)
    whole = compute(engine, [row], state=exported.state)
    np.testing.assert_allclose(probabilities, whole, rtol=0, atol=1e-5)
    np.testing.assert_allclose(whole, exported.expected([row]), rtol=0, atol=1e-5)


def test_a_row_of_padding_is_finite_and_changes_nothing(exported: Exported) -> None:
    for engine in exported.graphs:
        empty = engine.predict(np.zeros((1, 3), np.int32))
        np.testing.assert_allclose(empty, exported.expected([[]]), rtol=0, atol=1e-5)
        first, state = engine.step([[5, 6, 7]], initial_state(exported.state, batch=1))
        before = {name: value.copy() for name, value in state.items()}
        second, after = engine.step(np.zeros((1, 4), np.int32), state)
        np.testing.assert_array_equal(first, second)
        assert after.keys() == before.keys()
        for name, value in after.items():
            np.testing.assert_array_equal(value, before[name])


def test_the_state_is_a_few_numbers(exported: Exported) -> None:
    names = [tensor.name for tensor in exported.state]
    assert ("ngrams" in names) == ("recent" in names) == exported.kind.ngrams
    if exported.ngrams is not None:
        shapes = {tensor.name: tensor.shape for tensor in exported.state}
        assert shapes["ngrams"] == exported.ngrams.table.shape[1:]
        assert shapes["recent"] == (REMEMBERED,)


def test_every_weight_is_stored_once(exported: Exported) -> None:
    import tensorflow as tf

    stored = tf.train.list_variables(str(exported.folder / "variables/variables"))
    names = [name for name, _ in stored if "VARIABLE_VALUE" in name]
    weights = exported.network.trainable_weights
    table = 0 if exported.ngrams is None else exported.ngrams.table.nbytes
    assert len(names) == len(weights) + bool(table)
    embedding = VOCABULARY * EMBEDDING * 2
    others = sum(weight.numpy().nbytes for weight in weights[1:])
    assert (exported.folder / WEIGHTS).stat().st_size < 1.1 * (embedding + others) + table + 2_000


def test_the_onnx_file_borrows_the_tables(exported: Exported) -> None:
    import onnx

    model = onnx.load(exported.folder / ONNX, load_external_data=False)
    borrowed = [tensor for tensor in model.graph.initializer if tensor.external_data]
    dims = {tensor.name: list(tensor.dims) for tensor in borrowed}
    tables = {"embedding": [VOCABULARY, EMBEDDING]}
    if exported.ngrams is not None:
        tables["ngram_table"] = list(exported.ngrams.table.shape)
    assert dims == tables
    for tensor in borrowed:
        assert {entry.key: entry.value for entry in tensor.external_data}["location"] == WEIGHTS
    operators = [node.op_type for node in model.graph.node]
    fused = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}[exported.kind.cell]
    assert operators.count(fused) == exported.kind.layers
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

    from training.export import savedmodel as export

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32)])
        def serve(self, values):
            return {"values": tf.nn.relu(values)}

    module = Module()
    tf.saved_model.save(module, str(tmp_path), signatures=module.serve)
    export.refuse_operators(tmp_path, prefix="Cudnn")
    with pytest.raises(ExportError, match="the exported graph needs an accelerator: Relu"):
        export.refuse_operators(tmp_path, prefix="Relu")
