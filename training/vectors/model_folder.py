"""Finds the files of an embedding model in a folder, or at the Hugging Face Hub."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

from models.tables.decoding import digest_of
from training.data.builders import describe_cause, refuse_cache
from training.provenance import Provenance
from training.vectors.source import VectorsError

TOKENIZER = "tokenizer.json"
STATIC = "model.safetensors"
CONFIGS = ("config.json", "1_Pooling/config.json", "README.md")
# In the order in which they are wanted: the smallest that is as good comes first.
ENCODERS = (
    "onnx/model_int8.onnx",
    "onnx/model_quantized.onnx",
    "onnx/model_qint8_avx512_vnni.onnx",
    "model.onnx",
    "onnx/model.onnx",
)


@dataclass(frozen=True)
class ModelFolder:
    """The files of an embedding model.

    Args:
        tokenizer: Its tokenizer.
        weights: Its static vectors (safetensors) or its network (ONNX).
        pooling: The settings of its pooling; {} where there are none.
        record: Where it comes from.
    """

    tokenizer: Path
    weights: Path
    pooling: dict[str, Any]
    record: Provenance

    @property
    def is_static(self) -> bool:
        """Whether each of its tokens has one vector, whatever stands around it."""
        return self.weights.suffix == ".safetensors"


def open_folder(folder: Path) -> ModelFolder:
    """Return the model in a local folder.

    Raises:
        VectorsError: A file is missing.
    """
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    chosen = _choose(files, source=str(folder))
    return _make(folder, chosen, name=folder.resolve().name, revision=None)


def open_hub_model(name: str, *, option: str) -> ModelFolder:
    """Return a model of the Hugging Face Hub, downloaded at its newest commit.

    Raises:
        VectorsError: There is no such model, or it cannot be downloaded.
    """
    try:
        info = HfApi(endpoint=constants.ENDPOINT).model_info(name)
        files = [sibling.rfilename for sibling in info.siblings or ()]
        chosen = _choose(files, source=name)
        wanted = [*chosen, *(file for file in CONFIGS if file in files)]
        paths = {
            file: hf_hub_download(
                name,
                file,
                revision=info.sha,
                endpoint=constants.ENDPOINT,
                cache_dir=constants.HF_HUB_CACHE,
            )
            for file in wanted
        }
    except VectorsError:
        raise
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise VectorsError(
            f"{option} {name!r}: no such file or folder here, and no such model at "
            f"{constants.ENDPOINT}"
        ) from error
    except Exception as error:  # the network raises anything
        refuse_cache(error)
        raise VectorsError(
            f"{option} {name!r} cannot be downloaded from {constants.ENDPOINT} "
            f"({describe_cause(error)})"
        ) from error
    root = Path(paths[TOKENIZER]).parent
    return _make(root, chosen, name=name, revision=info.sha)


def _choose(files: Sequence[str], *, source: str) -> tuple[str, str]:
    """Return the names of the tokenizer and of the weights."""
    if TOKENIZER not in files:
        pickled = next((file for file in files if file.endswith((".bin", ".pkl", ".pt"))), None)
        hint = f"; {pickled} is a pickle, which can run code and is not read" if pickled else ""
        raise VectorsError(f"{source} has no {TOKENIZER}{hint}")
    networks = [file for file in ENCODERS if file in files]
    networks += sorted(file for file in files if file.endswith(".onnx"))
    weights = networks[0] if networks else STATIC if STATIC in files else None
    if weights is None:
        raise VectorsError(
            f"{source} has no network as ONNX and no {STATIC} with the vectors of its tokens"
        )
    return TOKENIZER, weights


def _make(root: Path, chosen: tuple[str, str], *, name: str, revision: str | None) -> ModelFolder:
    tokenizer, weights = (root / file for file in chosen)
    config, pooling = (_read_json(root / file) for file in CONFIGS[:2])
    digests = "".join(digest_of(path) for path in (tokenizer, weights))
    record = Provenance(
        name=name,
        revision=revision,
        sha256=hashlib.sha256((digests + json.dumps([config, pooling])).encode()).hexdigest(),
        license=_find_license(root / CONFIGS[2]),
    )
    return ModelFolder(tokenizer, weights, pooling, record)


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise VectorsError(f"{path} is not JSON ({error})") from error
    return found if isinstance(found, dict) else {}


def _find_license(card: Path) -> str | None:
    """Return the licence that the head of a model card names."""
    if not card.is_file():
        return None
    for line in card.read_text(encoding="utf-8", errors="replace").splitlines()[:60]:
        key, colon, value = line.partition(":")
        if colon and key.strip() == "license":
            return value.strip().strip("'\"") or None
    return None
