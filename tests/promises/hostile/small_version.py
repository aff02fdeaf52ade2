"""Makes a small version with all that a reader opens: network, index, graph and golden texts.

TensorFlow is not needed. `saved_model.pb` is not a graph: only TensorFlow would read it.
"""

import struct
from pathlib import Path

import numpy as np

from models.cells import CellName
from models.golden import Golden
from models.metadata import Architecture, NgramTable, Stopping, WeightRecord
from models.network import Network
from models.ngrams import NAME
from models.onnx_network import SCALE, write_network
from models.registry import Store
from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer
from models.variables import INDEX, MAGIC, SUFFIX
from models.versions import EXTRA, GOLDEN, ONNX, SAVED_MODEL, TOKENIZER, WEIGHTS, Version
from service.engines.onnx import OnnxEngine
from tests.protobuf import content, number, varint
from tests.versions import make_metadata
from training.export.onnx_model import make_model

WORDS = ["good", "bad", "film", "the", "not", "!", "a", "##s", "##a", "é", "电", "##影", "8", "'"]
TEXTS = ["", "a good film", "bad!", "the films are NOT bad, 8 é 电影", "a bad film " * 30]
NAMES = {"kernel": "kernel", "recurrent": "recurrent_kernel", "bias": "bias"}
SCALE_VALUE = 1e-3


def publish_small(root: Path, *, cell: CellName = "lstm", layers: int = 1) -> Version:
    """Publish a version with weights drawn at random into a store."""
    tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, *WORDS])
    network = Network(
        cell=cell,
        layers=layers,
        units=6,
        embedding=5,
        vocabulary=len(tokenizer),
        labels=2,
        exclusive=True,
        buckets=101,
        columns=1,
    )
    weights = draw_weights(network)
    store = Store(root)
    with store.staging("toy") as folder:
        for each in (EXTRA, "variables"):
            (folder / each).mkdir()
        (folder / SAVED_MODEL).write_bytes(b"a graph")
        tokenizer.save(folder / TOKENIZER)
        records = write_variables(folder, weights)
        graph = write_network(network, weights | {SCALE: np.float32(SCALE_VALUE)})
        places = {"embedding": "embedding", "ngram_table": NAME}
        offsets = {name: records[places[name]].offset for name in graph.tables}
        (folder / ONNX).write_bytes(make_model(graph, places=offsets).SerializeToString())
        record_golden(folder, network, tokenizer)
        metadata = make_metadata(
            tokenizer_sha256=tokenizer.digest,
            architecture=describe(network),
            state=network.state,
            weights={n: r for n, r in records.items() if n not in ("kernel", "bias")},
            stopping=Stopping(
                every=8, intercept=0.5, weights=(-1.0,) * 8, limits={"0.9": 0.0}, ahead=True
            ),
        )
        return store.publish(folder, metadata=metadata)


def describe(network: Network) -> Architecture:
    table = NgramTable(orders=3, buckets=network.buckets, columns=1, scale=SCALE_VALUE)
    return Architecture(
        cell=network.cell,
        layers=network.layers,
        units=network.units,
        embedding=network.embedding,
        vocabulary=network.vocabulary,
        parameters=1_000,
        ngrams=table,
    )


def draw_weights(network: Network) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    weights = {
        name: random.normal(0, 0.5, shape).astype(np.float32)
        for name, shape in network.weights.items()
    }
    table = random.integers(-127, 128, network.weights[NAME]).astype(np.int8)
    return weights | {"embedding": weights["embedding"].astype(np.float16), NAME: table}


def record_golden(folder: Path, network: Network, tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode_batch(TEXTS)
    probabilities = np.concatenate(
        [OnnxEngine(folder, network=network).predict([row]) for row in ids]
    )
    Golden.record(TEXTS, ids=ids, probabilities=probabilities).save(folder / GOLDEN)


def write_variables(folder: Path, weights: dict[str, np.ndarray]) -> dict[str, WeightRecord]:
    """Write the data file and its index as TensorFlow does; return where each weight lies."""
    data, records = b"", {}
    for name, weight in weights.items():
        records[name] = WeightRecord(offset=len(data), shape=weight.shape, dtype=weight.dtype.name)
        data += weight.tobytes()
    (folder / WEIGHTS).write_bytes(data)
    keys = {f"{_attribute(name)}{SUFFIX}".encode(): record for name, record in records.items()}
    (folder / INDEX).write_bytes(_table({key: _entry(keys[key]) for key in sorted(keys)}))
    return records


def _attribute(name: str) -> str:
    """Return the path of a weight among the attributes of the module that was saved."""
    if not name.startswith("recurrent_"):
        return {"embedding": "table"}.get(name, name)
    layer, _, part = name.partition("/")
    return f"recurrent/{layer.rpartition('_')[2]}/cell/{NAMES[part]}"


def _entry(record: WeightRecord) -> bytes:
    """Return a BundleEntryProto."""
    kind = {"float32": 1, "int8": 6, "float16": 19}[record.dtype]
    dims = b"".join(content(2, number(1, size)) for size in record.shape)
    return number(1, kind) + content(2, dims) + number(4, record.offset) + number(5, record.nbytes)


def _table(entries: dict[bytes, bytes]) -> bytes:
    """Return a table of LevelDB: a block of entries, an empty one, an index and a footer."""
    data = make_block(entries)
    meta = make_block({})
    meta_handle = varint(len(data)) + varint(len(meta) - 5)
    index = make_block({b"\xff": varint(0) + varint(len(data) - 5)})
    index_handle = varint(len(data) + len(meta)) + varint(len(index) - 5)
    return data + meta + index + (meta_handle + index_handle).ljust(40, b"\0") + MAGIC


def make_block(entries: dict[bytes, bytes]) -> bytes:
    """Return a block of a table, with what stands behind it."""
    items = [
        varint(0) + varint(len(key)) + varint(len(value)) + key + value
        for key, value in entries.items()
    ]
    return b"".join(items) + struct.pack("<II", 0, 1) + b"\0" * 5  # not compressed, no checksum
