"""The network as an ONNX graph, with a fused operator per layer.

The trainer writes a version's `model.onnx` from this graph. The service takes no file that is
anything else than this graph with some weights in it. A change of this file changes the model
format; see docs/model-format.md.
"""

import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.cells import state_names, weight_names
from models.network import HEAD, Network
from models.ngrams import MULTIPLIERS, NAME, ORDERS, REMEMBERED_BEFORE, WINDOW
from models.onnx_graph import Graph
from models.onnx_layers import WRITERS
from models.tokenizer import PAD

FLOAT, UINT8, INT32, INT64 = 1, 2, 6, 7
"""Types of ONNX, as the operator Cast numbers them."""
SCALE = "ngram_scale"
"""Name of the weight that an entry of 1 in the table of n-grams has."""
_END = int(np.iinfo(np.int64).max)  # of a slice that goes to the end

Weights = Mapping[str, NDArray[np.generic]]


def write_network(network: Network, weights: Weights) -> Graph:
    """Return the graph of a network.

    Inputs: `ids` int32 (batch, time) and the state tensors. Outputs: `probabilities`, shape
    (batch, labels), and `next_<state>`. One graph serves whole texts, from the state's fill values,
    and pieces.

    Args:
        network: The network.
        weights: Its weights by name, of the shapes of `Network.weights`, and `ngram_scale`.
    """
    graph = Graph(network.state, labels=network.labels)
    graph.table("embedding", weights["embedding"])
    if network.buckets:
        graph.table("ngram_table", weights[NAME])
    _write_layers(graph, network, weights)
    return graph


def write_skeleton(network: Network) -> Graph:
    """Return the graph of a network whose weights are all zero, and take no memory."""
    dtypes = {"embedding": np.float16, NAME: np.int8}
    weights: dict[str, NDArray[np.generic]] = {
        name: np.broadcast_to(np.zeros((), dtypes.get(name, np.float32)), shape)
        for name, shape in network.weights.items()
    }
    return write_network(network, weights | {SCALE: np.zeros((), np.float32)})


def _write_layers(graph: Graph, network: Network, weights: Weights) -> None:
    real = graph.add("Not", [graph.add("Equal", ["ids", graph.constant(np.int32(PAD))])])
    lengths = graph.add(
        "ReduceSum", [graph.add("Cast", [real], to=INT32), graph.axes(1)], keepdims=0
    )
    by_time = graph.add("Transpose", ["ids"], perm=[1, 0])
    vectors = graph.add("Gather", ["embedding", by_time])
    sequence = graph.add("Cast", [vectors], to=FLOAT)
    for layer in range(network.layers):
        arrays = [np.asarray(weights[n], np.float32) for n in weight_names(network.cell, layer)]
        names = state_names(network.cell, layer)
        sequence = WRITERS[network.cell](graph, sequence, lengths, weights=arrays, names=names)
    _write_pool(graph, sequence, lengths)
    if network.buckets:
        _write_ngrams(graph, network, real, lengths, scale=weights[SCALE])
    head = [weights[name] for name in HEAD]
    _write_verdict(graph, network, head=head, last=f"next_{names[0]}")


def _write_pool(graph: Graph, sequence: str, lengths: str) -> None:
    """Add maximum, mean and count, as `training/network/pool.py` defines them."""
    highest = graph.add("ReduceMax", [sequence, graph.axes(0)], keepdims=0)
    graph.add("Max", ["maximum", highest], name="next_maximum")
    read = graph.add("Cast", [lengths], to=FLOAT)
    read = graph.add("Unsqueeze", [read, graph.axes(1)])
    graph.add("Add", ["count", read], name="next_count")
    summed = graph.add("ReduceSum", [sequence, graph.axes(0)], keepdims=0)
    _continue_mean(graph, "mean", summed, read)


def _continue_mean(graph: Graph, mean: str, news: str, read: str) -> None:
    """Add a running mean after `read` more values whose sum is `news`, as the pool does."""
    change = graph.add("Sub", [news, graph.add("Mul", [read, mean])])
    divisor = graph.add("Max", ["next_count", graph.constant(np.float32(1))])
    graph.add("Add", [mean, graph.add("Div", [change, divisor])], name=f"next_{mean}")


def _write_ngrams(
    graph: Graph, network: Network, real: str, lengths: str, *, scale: NDArray[np.generic]
) -> None:
    """Add the mean weight of the n-grams and the recent ids, as the SavedModel computes them."""
    recent = graph.add("Cast", ["recent"], to=INT64)
    ids = graph.add("Cast", ["ids"], to=INT64)
    with_recent = graph.add("Concat", [recent, ids], axis=1)
    keys = graph.add("Concat", _write_keys(graph, with_recent, network), axis=2)
    roots = graph.add("Cast", [graph.add("Gather", ["ngram_table", keys])], to=FLOAT)
    weights = graph.add("Mul", [roots, graph.add("Abs", [roots])])
    mask = graph.add("Cast", [real], to=FLOAT)
    if network.remembered == REMEMBERED_BEFORE:
        mask = graph.add("Unsqueeze", [mask, graph.axes(2, 3)])
    else:
        mask = graph.add("Unsqueeze", [mask, graph.axes(2)])
        mask = graph.add("Mul", [_write_new(graph, with_recent), mask])
        mask = graph.add("Unsqueeze", [mask, graph.axes(3)])
    news = graph.add("ReduceSum", [graph.add("Mul", [weights, mask]), graph.axes(1, 2)], keepdims=0)
    news = graph.add("Mul", [news, graph.weight(scale)])
    read = graph.add("Unsqueeze", [graph.add("Cast", [lengths], to=FLOAT), graph.axes(1)])
    _continue_mean(graph, "ngrams", news, read)
    length = graph.add("Unsqueeze", [graph.add("Cast", [lengths], to=INT64), graph.axes(1)])
    last = graph.add("Add", [length, graph.constant(np.arange(network.remembered)[None])])
    newest = graph.add("GatherElements", [with_recent, last], axis=1)
    graph.add("Cast", [newest], name="next_recent", to=FLOAT)


def _write_keys(graph: Graph, with_recent: str, network: Network) -> list[str]:
    """Add the table rows of the n-grams of each order, each of shape (batch, time, 1)."""
    first = network.remembered
    back = [_slice(graph, with_recent, first - k, -k if k else _END) for k in range(ORDERS)]
    keys = []
    for multipliers in MULTIPLIERS:
        terms = [
            graph.add("Mul", [piece, graph.constant(np.int64(multiplier))])
            for multiplier, piece in zip(multipliers, back, strict=False)
        ]
        total = functools.reduce(lambda one, other: graph.add("Add", [one, other]), terms)
        key = graph.add("Mod", [total, graph.constant(np.int64(network.buckets))])
        keys.append(graph.add("Unsqueeze", [key, graph.axes(2)]))
    return keys


def _write_new(graph: Graph, with_recent: str) -> str:
    """Add whether n-grams count, 1 or 0, shape (batch, time, ORDERS), as `savedmodel` does."""
    ids = graph.add("Cast", [with_recent], to=INT32)
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
    numbers = graph.add("Cast", [found], to=UINT8)
    some = graph.add("ReduceMax", [numbers, graph.axes(2)], keepdims=1)
    return graph.add("Sub", [graph.constant(np.float32(1)), graph.add("Cast", [some], to=FLOAT)])


def _slice(graph: Graph, values: str, start: int, end: int) -> str:
    """Add a slice along the second axis."""
    return graph.add("Slice", [values, graph.axes(start), graph.axes(end), graph.axes(1)])


def _write_verdict(
    graph: Graph, network: Network, *, head: list[NDArray[np.generic]], last: str
) -> None:
    pooled = graph.add("Concat", ["next_maximum", "next_mean", last], axis=1)
    logits = graph.add("Gemm", [pooled, *map(graph.weight, head)])
    if network.buckets:
        columns = graph.add("Mul", ["next_ngrams", graph.add("Sqrt", ["next_count"])])
        if network.columns != network.labels:
            sides = np.array([-0.5, 0.5], np.float32)
            columns = graph.add("Mul", [columns, graph.constant(sides)])
        logits = graph.add("Add", [logits, columns])
    if network.exclusive:
        graph.add("Softmax", [logits], name="probabilities", axis=-1)
    else:
        graph.add("Sigmoid", [logits], name="probabilities")
