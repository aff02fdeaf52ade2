"""Which files ONNX Runtime is given."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from models.cells import CELLS
from models.errors import VersionCorrupt
from models.network import Network, check_state
from models.ngrams import NAME, REMEMBERED_BEFORE
from models.onnx_network import SCALE, write_network
from models.registry import Store
from models.versions import METADATA, ONNX, WEIGHTS, Version
from service.engines.onnx import OnnxEngine
from service.engines.onnx_file import read_onnx
from tests.promises.hostile.small_version import SCALE_VALUE, draw_weights, publish_small
from tests.protobuf import content, number
from training.export.onnx_model import make_model

STORE = Store(Path(__file__).parents[3] / "models" / "store")


@pytest.mark.parametrize("model", ["imdb-gru", "imdb-lstm"])
def test_what_is_shipped_is_taken(model: str) -> None:
    version = STORE.resolve(model)
    file = read_onnx(version.path, Network.of(version.metadata))
    assert file.content == (version.path / ONNX).read_bytes()
    assert file.tables["embedding"].shape == version.weight("embedding").shape
    assert isinstance(file.tables["ngram_table"], np.memmap)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_each_cell_is_taken(cell: Any, layers: int, tmp_path: Path) -> None:
    version = publish_small(tmp_path, cell=cell, layers=layers)
    read_onnx(version.path, Network.of(version.metadata))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return publish_small(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def version(whole: Version, tmp_path: Path) -> Version:
    return Version(Path(shutil.copytree(whole.path, tmp_path / "toy/1")))


def require_refused(version: Version, reason: str) -> None:
    with pytest.raises(VersionCorrupt, match=reason):
        read_onnx(version.path, Network.of(version.metadata))


def edit_operator(model: onnx.ModelProto) -> None:
    model.graph.node[5].op_type = "Identity"


def edit_domain(model: onnx.ModelProto) -> None:
    model.graph.node[5].domain = "com.microsoft"


def edit_attribute(model: onnx.ModelProto) -> None:
    model.graph.node[4].attribute[0].ints[0] = 0


def edit_constant(model: onnx.ModelProto) -> None:
    (tensor,) = [each for each in model.graph.initializer if each.name == "constant_2"]
    tensor.raw_data = b"\1\0\0\0"


def edit_shape(model: onnx.ModelProto) -> None:
    tensor = next(each for each in model.graph.initializer if len(each.dims) == 3)
    tensor.dims[1] *= 2


def edit_weight(model: onnx.ModelProto) -> None:
    tensor = next(each for each in model.graph.initializer if len(each.dims) == 3)
    values = numpy_helper.to_array(tensor).copy()
    values[0, 0, 0] = np.nan
    tensor.raw_data = values.tobytes()


def edit_place(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].external_data[0].value = "../../other"


def edit_offset(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].external_data[1].value = str(1 << 31)


def edit_location(model: onnx.ModelProto) -> None:
    (tensor,) = [each for each in model.graph.initializer if each.name == "constant_2"]
    content = tensor.SerializeToString() + number(14, 2)
    tensor.ParseFromString(content)


def edit_opset(model: onnx.ModelProto) -> None:
    model.opset_import.add(domain="com.microsoft", version=1)


def edit_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 3


def add_tensor(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(model.graph.initializer[2])


EDITS = {
    edit_operator: "nodes differ",
    edit_domain: "unexpected field 7",
    edit_attribute: "nodes differ",
    edit_constant: "tensor constant_2 differ",
    edit_shape: "shape of constant_",
    edit_weight: "expected weights of at most 1e\\+06, found nan",
    edit_place: "place of embedding",
    edit_offset: "expected a weight up to",
    edit_location: "place of constant_2",
    edit_opset: "opset differ",
    edit_output: "outputs differ",
    add_tensor: "number of tensors",
}


@pytest.mark.parametrize("edit", EDITS)
def test_another_graph_is_refused(
    edit: Callable[[onnx.ModelProto], None], version: Version
) -> None:
    model = onnx.load(str(version.path / ONNX), load_external_data=False)
    edit(model)
    (version.path / ONNX).write_bytes(model.SerializeToString())
    require_refused(version, EDITS[edit])


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (content(7, b""), "graph is there twice"),  # parsers would join both
        (number(1, 9), "ir_version is there twice"),
        (content(25, b""), "unexpected field 25"),  # functions
        (b"\x3a", "not the graph of a version"),
        (b"\x41" + b"\0" * 8, "a number stands where bytes are expected"),  # of fixed size
        (number(8, 1), "a number stands where bytes are expected"),
    ],
)
def test_what_parsers_may_read_differently_is_refused(
    more: bytes, reason: str, version: Version
) -> None:
    with (version.path / ONNX).open("ab") as file:
        file.write(more)
    require_refused(version, reason)


def test_variables_that_are_cut_are_refused(version: Version) -> None:
    (version.path / WEIGHTS).write_bytes(b"short")
    require_refused(version, "expected a weight up to")


def test_a_missing_file_is_named(version: Version) -> None:
    (version.path / ONNX).unlink()
    require_refused(version, r"model\.onnx: not the graph of a version \(.*No such file")


def write_earlier(version: Version) -> Network:
    """Make the version one that counts every n-gram; return its network."""
    network = Network.of(version.metadata)
    earlier = replace(network, remembered=REMEMBERED_BEFORE)
    weights = draw_weights(network)
    graph = write_network(earlier, weights | {SCALE: np.float32(SCALE_VALUE)})
    places = {"embedding": "embedding", "ngram_table": NAME}
    offsets = {name: version.metadata.weights[places[name]].offset for name in graph.tables}
    (version.path / ONNX).write_bytes(make_model(graph, places=offsets).SerializeToString())
    path = version.path / METADATA
    fields = json.loads(path.read_text()) | {"stopping": None}
    fields["state"] = [tensor.model_dump() for tensor in earlier.state]
    path.write_text(json.dumps(fields | {"format_version": 3}))
    return earlier


@pytest.mark.parametrize(("text", "equal"), [([2, 3, 4, 5], True), ([2, 3, 2, 3, 2], False)])
def test_versions_that_count_every_ngram_are_taken(
    text: list[int], equal: bool, version: Version
) -> None:
    row = np.array(text, np.int32)
    now = OnnxEngine(version.path, network=Network.of(version.metadata)).predict([row])
    earlier = write_earlier(version)
    reopened = Version(version.path)
    assert Network.of(reopened.metadata) == earlier
    before = OnnxEngine(version.path, network=earlier).predict([row])
    assert np.allclose(now, before, atol=1e-6) == equal


def test_no_new_version_counts_every_ngram(version: Version) -> None:
    write_earlier(version)
    path = version.path / METADATA
    path.write_text(path.read_text().replace('"format_version": 3', '"format_version": 5'))
    with pytest.raises(VersionCorrupt, match="recent.130.*found.*recent.2."):
        check_state(Version(version.path).metadata)
