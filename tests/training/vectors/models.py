"""Makes small embedding models: a static one, and an encoder as ONNX."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

WORDS = ("good", "bad", "film", "soup", "waiter", "##s", "##ing", "the")
WIDTH = 6


def write_tokenizer(folder: Path) -> int:
    """Write a tokenizer; return the number of its tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: id for id, token in enumerate(["[PAD]", "[UNK]", *WORDS])}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(vocabulary)


def make_vectors(count: int, *, width: int = WIDTH, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def write_static_model(folder: Path, *, tokens: int | None = None) -> np.ndarray:
    """Write a static model; return its vectors."""
    count = write_tokenizer(folder)
    vectors = make_vectors(tokens or count)
    save_file({"embeddings": vectors}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec"}))
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    return vectors


def write_encoder(
    folder: Path, *, name: str = "model.onnx", input: str = "input_ids"
) -> np.ndarray:
    """Write an encoder whose states are the vectors of the tokens; return those."""
    vectors = make_vectors(write_tokenizer(folder))
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", input], ["states"])],
        "encoder",
        [helper.make_tensor_value_info(input, TensorProto.INT64, [None, None])],
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, [None, None, WIDTH])],
        [numpy_helper.from_array(vectors, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return vectors


def write_text_vectors(path: Path, words: tuple[str, ...], *, header: bool = False) -> np.ndarray:
    """Write vectors as GloVe does, or as word2vec does below its header; return them."""
    vectors = make_vectors(len(words))
    lines = [f"{len(words)} {WIDTH}"] if header else []
    lines += [
        " ".join([word, *(f"{number:.6f}" for number in row)])
        for word, row in zip(words, vectors, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return vectors
