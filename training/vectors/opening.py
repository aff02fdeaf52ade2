"""Opens a source of word vectors: a text file, a folder or a model of the Hub."""

from pathlib import Path

from training.vectors.model_folder import open_folder, open_hub_model
from training.vectors.record import VectorsError, VectorSource
from training.vectors.sentence_encoder import SentenceEncoder
from training.vectors.static_model import StaticModel
from training.vectors.text_file import open_text_vectors


def open_vectors(source: str) -> VectorSource:
    """Return the source that a user names, tried in this order: file, folder, Hub id.

    Raises:
        VectorsError: It is not found, or cannot be read.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return open_text_vectors(path)
    if not path.is_dir() and (source.startswith((".", "/", "~")) or source.count("/") != 1):
        raise VectorsError(f"--vectors {source!r}: no such file or folder")
    folder = open_folder(path) if path.is_dir() else open_hub_model(source)
    return StaticModel(folder) if folder.is_static else SentenceEncoder(folder)
