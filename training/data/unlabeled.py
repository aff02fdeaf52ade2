"""Reads texts without labels for the language model of a domain."""

from collections.abc import Iterator
from pathlib import Path

from training.data.columns import find_text
from training.data.rows import Rows
from training.data.sources import Source, load_source
from training.errors import DataError
from training.reading import Reading

HELD_BACK = "test"  # never learned from unless the user names it


def read_corpus(name: str, *, reading: Reading) -> list[str]:
    """Return the texts of a dataset, each once.

    Args:
        name: File, folder or Hub id; ":split" behind it selects one split, else all but test are
            read.
        reading: How it is to be read; a text column that it lacks is found.

    Raises:
        DataError: There is no such dataset, split or column, or no text in it.
    """
    source, chosen = _find(name, reading)
    texts = (text for split in chosen for text in _texts(source.splits[split], reading.text_column))
    distinct = list(dict.fromkeys(text for text in texts if isinstance(text, str) and text.strip()))
    if not distinct:
        raise DataError(f"--unlabeled {name!r}: no text in {', '.join(chosen)}")
    return distinct


def shorten_name(name: str) -> str:
    """Return the name of a corpus for the record: a local path is cut to its last part."""
    is_local = Path(name).exists() or Path(name.rpartition(":")[0] or name).exists()
    return Path(name).name if is_local else name


def _find(name: str, reading: Reading) -> tuple[Source, list[str]]:
    """Return the source and the names of the selected splits."""
    path, colon, split = name.rpartition(":")
    if colon and split.isidentifier():
        source = load_source(path, config=None, revision=None, reading=reading)
        if split not in source.splits:
            there_are = ", ".join(source.splits)
            raise DataError(f"--unlabeled {name!r}: no split {split!r}; there are: {there_are}")
        return source, [split]
    source = load_source(name, config=None, revision=None, reading=reading)
    return source, [split for split in source.splits if split != HELD_BACK]


def _texts(rows: Rows, column: str | None) -> Iterator[str | None]:
    """Yield the text of each row of a split; None where it is missing."""
    if column is None or column not in rows.features:
        column = find_text(rows.features)
    yield from rows[column][:]
