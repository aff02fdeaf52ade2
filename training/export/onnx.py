"""Writes the network a second time, as ONNX, with a fused operator per layer where there is one.

The embedding, by far the largest weight, is not stored again: it is read from the SavedModel's
variables by offset.
"""

import functools
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.cells import state_names
from models.ngrams import MULTIPLIERS, ORDERS, WINDOW
from models.tokenizer import PAD
from models.versions import ONNX, WEIGHTS
from training.export.onnx_graph import Graph
from training.export.onnx_layers import WRITERS
from training.export.state import describe_state
from training.export.weights import find_bytes
from training.linear.ngrams import REMEMBERED
from training.recipe.classifier import TrainedClassifier

OPSET = 20
IR_VERSION = 9  # the oldest that has this opset, so that older runtimes can read the file
_END = np.iinfo(np.int64).max  # of a slice that goes to the end


def export_onnx(classifier: TrainedClassifier, *, folder: Path) -> None:
    """Write `model.onnx` beside the SavedModel that is already in `folder`.

    Inputs: `ids` int32 (batch, time) and the state tensors. Outputs: `probabilities`, shape
    (batch, labels), and `next_<state>`. One graph serves whole texts, from the state's fill values,
    and pieces.
    """
    graph = Graph(describe_state(classifier))
    table = classifier.network.get_layer("embedding").embeddings.numpy().astype(np.float16)
    graph.initializers.append(_external_tensor("embedding", table, folder=folder))
    if classifier.ngrams is not None:
        entries = classifier.ngrams.table
        graph.initializers.append(_external_tensor("ngram_table", entries, folder=folder))
    _write_network(graph, classifier)
    model = helper.make_model(
        graph.build(labels=classifier.labels),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="gatewise",
    )
    path = folder / ONNX
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path), full_check=True)


def _write_network(graph: Graph, classifier: TrainedClassifier) -> None:
    network = classifier.network
    real = graph.add("Not", [graph.add("Equal", ["ids", graph.constant(np.int32(PAD))])])
    lengths = graph.add(
        "ReduceSum", [graph.add("Cast", [real], to=TensorProto.INT32), graph.axes(1)], keepdims=0
    )
    by_time = graph.add("Transpose", ["ids"], perm=[1, 0])
    vectors = graph.add("Gather", ["embedding", by_time])
    sequence = graph.add("Cast", [vectors], to=TensorProto.FLOAT)
    shape = classifier.shape
    for index in range(shape.layers):
        weights = network.get_layer(f"recurrent_{index}").get_weights()
        names = state_names(shape.cell, index)
        sequence = WRITERS[shape.cell](graph, sequence, lengths, weights=weights, names=names)
    _write_pool(graph, sequence, lengths)
    if classifier.ngrams is not None:
        _write_ngrams(graph, classifier, real, lengths)
    _write_verdict(graph, classifier, last=f"next_{names[0]}")


def _write_pool(graph: Graph, sequence: str, lengths: str) -> None:
    """Add maximum, mean and count, as `training/network/pool.py` defines them."""
    highest = graph.add("ReduceMax", [sequence, graph.axes(0)], keepdims=0)
    graph.add("Max", ["maximum", highest], name="next_maximum")
    read = graph.add("Cast", [lengths], to=TensorProto.FLOAT)
    read = graph.add("Unsqueeze", [read, graph.axes(1)])
    graph.add("Add", ["count", read], name="next_count")
    summed = graph.add("ReduceSum", [sequence, graph.axes(0)], keepdims=0)
    _continue_mean(graph, "mean", summed, read)


def _continue_mean(graph: Graph, mean: str, news: str, read: str) -> None:
    """Add a running mean after `read` more values whose sum is `news`, as the pool does."""
    change = graph.add("Sub", [news, graph.add("Mul", [read, mean])])
    divisor = graph.add("Max", ["next_count", graph.constant(np.float32(1))])
    graph.add("Add", [mean, graph.add("Div", [change, divisor])], name=f"next_{mean}")


def _write_ngrams(graph: Graph, classifier: TrainedClassifier, real: str, lengths: str) -> None:
    """Add the mean weight of the n-grams and the recent ids, as ServingModule computes them."""
    recent = graph.add("Cast", ["recent"], to=TensorProto.INT64)
    ids = graph.add("Cast", ["ids"], to=TensorProto.INT64)
    with_recent = graph.add("Concat", [recent, ids], axis=1)
    keys = graph.add(
        "Concat", _write_keys(graph, with_recent, len(classifier.ngrams.table)), axis=2
    )
    roots = graph.add("Cast", [graph.add("Gather", ["ngram_table", keys])], to=TensorProto.FLOAT)
    weights = graph.add("Mul", [roots, graph.add("Abs", [roots])])
    mask = graph.add("Cast", [real], to=TensorProto.FLOAT)
    mask = graph.add("Unsqueeze", [mask, graph.axes(2)])
    mask = graph.add("Mul", [_write_new(graph, with_recent), mask])
    mask = graph.add("Unsqueeze", [mask, graph.axes(3)])
    news = graph.add("ReduceSum", [graph.add("Mul", [weights, mask]), graph.axes(1, 2)], keepdims=0)
    news = graph.add("Mul", [news, graph.constant(np.float32(classifier.ngram_scale))])
    read = graph.add(
        "Unsqueeze", [graph.add("Cast", [lengths], to=TensorProto.FLOAT), graph.axes(1)]
    )
    _continue_mean(graph, "ngrams", news, read)
    length = graph.add(
        "Unsqueeze", [graph.add("Cast", [lengths], to=TensorProto.INT64), graph.axes(1)]
    )
    last = graph.add("Add", [length, graph.constant(np.arange(REMEMBERED)[None])])
    newest = graph.add("GatherElements", [with_recent, last], axis=1)
    graph.add("Cast", [newest], name="next_recent", to=TensorProto.FLOAT)


def _write_keys(graph: Graph, with_recent: str, buckets: int) -> list[str]:
    """Add the table rows of the n-grams of each order, each of shape (batch, time, 1)."""
    back = [_slice(graph, with_recent, REMEMBERED - k, -k if k else _END) for k in range(ORDERS)]
    keys = []
    for multipliers in MULTIPLIERS:
        terms = [
            graph.add("Mul", [piece, graph.constant(np.int64(multiplier))])
            for multiplier, piece in zip(multipliers, back, strict=False)
        ]
        total = functools.reduce(lambda one, other: graph.add("Add", [one, other]), terms)
        key = graph.add("Mod", [total, graph.constant(np.int64(buckets))])
        keys.append(graph.add("Unsqueeze", [key, graph.axes(2)]))
    return keys


def _write_new(graph: Graph, with_recent: str) -> str:
    """Add whether n-grams count, 1 or 0, shape (batch, time, ORDERS), as `savedmodel` does."""
    ids = graph.add("Cast", [with_recent], to=TensorProto.INT32)
    shape = graph.add("Shape", [ids], start=1, end=2)
    length = graph.add("Squeeze", [shape, graph.axes(0)])
    place = graph.add(
        "Range", [graph.constant(np.int64(WINDOW)), length, graph.constant(np.int64(1))]
    )
    place = graph.add("Unsqueeze", [place, graph.axes(1)])
    window = graph.add("Sub", [place, graph.constant(np.arange(1, WINDOW + 1))])
    before = graph.add("Gather", [ids, window], axis=1)
    here = graph.add("Unsqueeze", [_slice(graph, ids, WINDOW, _END), graph.axes(2)])
    equal = graph.add("Equal", [before, here])
    same = _slice(graph, equal, ORDERS - 1, _END)
    found = [same]
    for distance in range(1, ORDERS):
        there = _slice(graph, equal, ORDERS - 1 - distance, -distance)
        found.append(graph.add("And", [found[-1], there]))
    new = [_write_none(graph, each) for each in found]
    return graph.add("Concat", new, axis=2)


def _write_none(graph: Graph, found: str) -> str:
    """Add whether nothing along the last axis is true, 1 or 0, that axis kept with length 1."""
    numbers = graph.add("Cast", [found], to=TensorProto.UINT8)
    some = graph.add("ReduceMax", [numbers, graph.axes(2)], keepdims=1)
    return graph.add(
        "Sub", [graph.constant(np.float32(1)), graph.add("Cast", [some], to=TensorProto.FLOAT)]
    )


def _slice(graph: Graph, values: str, start: int, end: int) -> str:
    """Add a slice along the second axis."""
    return graph.add("Slice", [values, graph.axes(start), graph.axes(end), graph.axes(1)])


def _write_verdict(graph: Graph, classifier: TrainedClassifier, *, last: str) -> None:
    kernel, bias = classifier.head
    pooled = graph.add("Concat", ["next_maximum", "next_mean", last], axis=1)
    logits = graph.add("Gemm", [pooled, graph.constant(kernel), graph.constant(bias)])
    if classifier.ngrams is not None:
        columns = graph.add("Mul", ["next_ngrams", graph.add("Sqrt", ["next_count"])])
        if classifier.ngrams.table.shape[1] != classifier.labels:
            sides = np.array([-0.5, 0.5], np.float32)
            columns = graph.add("Mul", [columns, graph.constant(sides)])
        logits = graph.add("Add", [logits, columns])
    if classifier.task == "single_label":
        graph.add("Softmax", [logits], name="probabilities", axis=-1)
    else:
        graph.add("Sigmoid", [logits], name="probabilities")


def _external_tensor(name: str, array: NDArray[np.generic], *, folder: Path) -> onnx.TensorProto:
    """Return a tensor whose bytes are those that the SavedModel's variables already hold."""
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor = TensorProto(name=name, data_type=kind, dims=array.shape)
    tensor.data_location = TensorProto.EXTERNAL
    place = {"location": WEIGHTS, "offset": find_bytes(folder, array)}
    for key, value in {**place, "length": array.nbytes}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor
