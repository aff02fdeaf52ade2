"""Opens a source of word vectors: a text file, a folder or a model of the Hub."""

from training.data.sources import as_path
from training.vectors.model_folder import open_folder, open_hub_model
from training.vectors.sentence_encoder import SentenceEncoder
from training.vectors.source import VectorsError, VectorSource
from training.vectors.static_model import StaticModel
from training.vectors.text_file import open_text_vectors


def open_vectors(source: str) -> VectorSource:
    """Return the source that a user names, tried in this order: file, folder, Hub id.

    Raises:
        VectorsError: It is not found, or cannot be read.
    """
    path = as_path(source)
    return open_text_vectors(path) if path.is_file() else _open_model(source, option="--vectors")


def open_encoder(source: str) -> VectorSource:
    """Return a model that gives vectors of whole texts, from a folder or the Hub.

    Raises:
        VectorsError: It is not found, or cannot be read.
    """
    if as_path(source).is_file():
        raise VectorsError(f"--encoder {source!r} is a file; name the folder of a model")
    return _open_model(source, option="--encoder")


def _open_model(source: str, *, option: str) -> VectorSource:
    path = as_path(source)
    if not path.is_dir() and (source.startswith((".", "/", "~")) or source.count("/") != 1):
        raise VectorsError(f"{option} {source!r}: no such file or folder")
    folder = open_folder(path) if path.is_dir() else open_hub_model(source, option=option)
    return StaticModel(folder) if folder.is_static else SentenceEncoder(folder)
