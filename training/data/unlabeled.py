"""Reads texts without labels for the language model of a domain."""

from pathlib import Path
from typing import Any

from training.data.columns import find_text
from training.data.row_reader import describe_no_text, note_unreadable, read_column
from training.data.rows import Rows, describe_place
from training.data.sources import Source, load_source
from training.errors import DataError
from training.reading import Reading

HELD_BACK = "test"  # never learned from unless the user names it


def read_corpus(name: str, *, reading: Reading, notices: list[str] | None = None) -> list[str]:
    """Return the texts of a dataset, each once; rows without a text are passed over.

    Args:
        name: File, folder or Hub id; ":split" behind it selects one split, else all but test are
            read.
        reading: How it is to be read; a text column that it lacks is found.
        notices: Receives what was chosen and what was left out, in words.

    Raises:
        DataError: There is no such dataset, split or column, no text in it, or a row that cannot
            be used.
    """
    source, chosen = _find(name, reading)
    told, texts, faults = list(source.notes), dict[str, None](), list[str]()
    strings = count = 0
    for split in chosen:
        rows = source.splits[split]
        told += note_unreadable(split, rows, skip=reading.skip_unusable)
        count += len(rows)
        for row, text in enumerate(_read_texts(rows, reading.text_column, split=split)):
            if text is None or (isinstance(text, str) and not text.strip()):
                continue
            strings += isinstance(text, str)
            if (fault := describe_no_text(text)) is None:
                texts[text] = None
            else:
                faults.append(f"in {describe_place(rows, row)} the text {fault}")
    if not strings:
        raise DataError(f"--unlabeled {name!r}: no text in {', '.join(chosen)}")
    if faults:
        fault = f"{len(faults):,} of {count:,} rows cannot be used: {faults[0]}"
        if not reading.skip_unusable:
            raise DataError(f"--unlabeled {name!r}: {fault}; --skip-unusable leaves such rows out")
        told.append(f"{fault}; left out")
    if not texts:
        raise DataError(f"--unlabeled {name!r}: {fault}, and no other row has a text")
    if notices is not None:
        notices += [f"--unlabeled {name!r}: {notice}" for notice in told]
    return list(texts)


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


def _read_texts(rows: Rows, column: str | None, *, split: str) -> list[Any]:
    """Return the text of each row of a split; None where it is missing."""
    if column is None or column not in rows.features:
        column = find_text(rows.features)
    return read_column(rows, column, split=split)
