"""Keeps pretrained networks in a folder: one vocabulary, and a file of weights for each cell.

An embedding is kept as 8-bit integers with one 16-bit factor for each token, the layers as 16-bit
numbers. What that rounds away is far less than what the first step of a training changes.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from models.atomic import replace_file
from models.cells import CELLS
from models.errors import GatewiseError
from models.tables.decoding import digest_of
from models.tokenizer import Tokenizer
from training.errors import TrainingError
from training.pretrained.network import Pretrained, Weights
from training.provenance import Provenance
from training.workspace.atomic import save_bytes
from training.workspace.space import writing

TOKENIZER = "tokenizer.json"
FORMAT_VERSION = 1
LARGEST = 127  # of an 8-bit integer


def path_of(folder: Path, cell: str) -> Path:
    """Return the file of the network of a cell."""
    return folder / f"{cell}.safetensors"


def save_pretrained(network: Pretrained, folder: Path, *, notes: Mapping[str, str]) -> Path:
    """Write a network to a folder, which may hold those of other cells; return its file.

    Args:
        network: The network.
        folder: Where it goes.
        notes: What is told of its origin, in words.

    Raises:
        TrainingError: The folder has another vocabulary, or is none.
        CannotWrite: The disk is full, or takes no files.
    """
    check_folder(folder, network.tokenizer)
    whole, scale = _round_rows(network.embedding)
    arrays: dict[str, NDArray[Any]] = {"embedding": whole, "scale": scale}
    for index, weights in enumerate(network.layers):
        for number, array in enumerate(weights):
            arrays[f"layer/{index}/{number}"] = array.astype(np.float16)
    told = {
        "format_version": FORMAT_VERSION,
        "shape": network.shape,
        "license": network.record.license,
        "tokenizer_sha256": network.tokenizer.digest,
        "notes": dict(notes),
    }
    path = path_of(folder, network.shape["cell"])
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / TOKENIZER).exists():
            with replace_file(folder / TOKENIZER) as unfinished:
                network.tokenizer.save(unfinished)
    head = {"gatewise": json.dumps(told, sort_keys=True)}
    save_bytes(save(arrays, metadata=head), path=path)
    return path


def check_folder(folder: Path, tokenizer: Tokenizer) -> None:
    """Raise TrainingError for a folder that cannot take a network with these words."""
    file = folder / TOKENIZER
    if folder.exists() and not folder.is_dir():
        raise TrainingError(f"{folder} is a file; name a folder with --out")
    try:
        known = Tokenizer.load(file).digest if file.exists() else tokenizer.digest
    except GatewiseError as error:
        raise TrainingError(f"{error}; name another folder with --out") from error
    if known != tokenizer.digest:
        raise TrainingError(f"{file} has other words; name another folder with --out")


def is_pretrained(folder: Path) -> bool:
    """Whether a folder holds pretrained networks."""
    return (folder / TOKENIZER).is_file() and any(folder.glob("*.safetensors"))


def read_pretrained(folder: Path, *, cell: str) -> Pretrained:
    """Return the network of a cell.

    Raises:
        TrainingError: The folder has none, or its files are broken or of a newer release.
    """
    path = path_of(folder, cell)
    if not path.is_file():
        raise TrainingError(f"{folder} has no pretrained network of the cell {cell}")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            told = json.loads((file.metadata() or {})["gatewise"])
        if told["format_version"] > FORMAT_VERSION:
            raise TrainingError(f"{path} was written by a newer release")
        arrays = load_file(path)
        tokenizer = Tokenizer.load(folder / TOKENIZER)
        network = Pretrained(
            record=Provenance(
                name=folder.resolve().name,
                revision=None,
                sha256=_digest(path, tokenizer),
                license=told["license"],
            ),
            tokenizer=tokenizer,
            shape=dict(told["shape"]),
            embedding=arrays["embedding"].astype(np.float32) * arrays["scale"].astype(np.float32),
            layers=_take_layers(arrays, told["shape"]),
        )
        if told["tokenizer_sha256"] != tokenizer.digest:
            raise ValueError(f"{TOKENIZER} is that of another network")
        _check(network, cell=cell)
    except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise TrainingError(f"{path} is no pretrained network ({error!r})") from error
    except TrainingError:
        raise
    except GatewiseError as error:  # of the tokenizer
        raise TrainingError(str(error)) from error
    return network


def _round_rows(table: Weights) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Return integers and the factor of each row, shape (rows, 1)."""
    largest = np.abs(table).max(axis=1, keepdims=True)
    scale = np.maximum(largest / LARGEST, np.finfo(np.float16).tiny).astype(np.float16)
    whole = np.rint(table / scale.astype(np.float32)).clip(-LARGEST, LARGEST)
    return whole.astype(np.int8), scale


def _take_layers(
    arrays: Mapping[str, NDArray[Any]], shape: Mapping[str, Any]
) -> tuple[tuple[Weights, ...], ...]:
    parts = len(CELLS[shape["cell"]].weights)
    return tuple(
        tuple(arrays[f"layer/{index}/{number}"].astype(np.float32) for number in range(parts))
        for index in range(shape["layers"])
    )


def _check(network: Pretrained, *, cell: str) -> None:
    """Raise ValueError where parts do not fit each other."""
    wanted = (len(network.tokenizer), network.shape["embedding"])
    if network.embedding.shape != wanted:
        raise ValueError(f"the embedding has shape {network.embedding.shape}, not {wanted}")
    if network.shape["cell"] != cell:
        raise ValueError(f"its cell is {network.shape['cell']}")
    arrays = [network.embedding, *(array for layer in network.layers for array in layer)]
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("it holds NaN or infinity")


def _digest(path: Path, tokenizer: Tokenizer) -> str:
    return hashlib.sha256((digest_of(path) + tokenizer.digest).encode()).hexdigest()
