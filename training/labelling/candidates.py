"""Checks what `curve` is asked for rows to label next, before anything slow is done."""

from pathlib import Path

from training.console import console
from training.data.splits import LabelledData
from training.data.unlabeled import read_corpus
from training.errors import DataError
from training.reading import Reading

KINDS = (".csv", ".jsonl")


def check_target(path: Path) -> None:
    """Raise DataError for a file that would not be written."""
    if path.suffix not in KINDS or path.is_dir():
        raise DataError(f"--next {path}: name a file that ends in {' or '.join(KINDS)}")


def read_candidates(corpus: str, *, data: LabelledData, reading: Reading) -> list[str]:
    """Return the texts of a dataset that stand in no labelled split.

    Raises:
        DataError: There is no such dataset, or each of its texts is labelled already.
    """
    notices: list[str] = []
    with console.status("reading the texts without labels"):
        found = read_corpus(corpus, reading=reading, notices=notices)
    console.print_notes(notices)
    texts = [found[place] for place in data.find_own(found)]
    if not texts:
        raise DataError(f"--unlabeled {corpus!r}: each of its {len(found):,} texts is labelled")
    return texts
