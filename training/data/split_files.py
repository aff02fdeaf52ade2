"""Finds which files of a folder belong to which split, by their names."""

import re
from dataclasses import dataclass
from pathlib import Path

from models.tables.folder import list_files
from models.tables.kinds import find_kind, is_table

VALIDATION_NAMES = ("validation", "valid", "val", "dev")
_SPLITS = {
    "train": ("train", "training"),
    "validation": VALIDATION_NAMES,
    "test": ("test", "testing", "eval", "evaluation"),
}
_SPLIT_OF = {word: split for split, words in _SPLITS.items() for word in words}
_WORDS = re.compile("[a-z]+")
_ABOUT = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
_DECLARED = re.compile(r"^(configs|dataset_info):", re.MULTILINE)
MOST_NAMED = 5  # files in a note


@dataclass(frozen=True)
class SplitFiles:
    """The files of a folder.

    Args:
        splits: The files of each split.
        notes: Files that are not read, and splits of several files, in words.
    """

    splits: dict[str, list[Path]]
    notes: tuple[str, ...]


def find_split_files(folder: Path) -> SplitFiles | None:
    """Return the files of a folder by split; None where it declares them, or has no tables.

    "Train.csv" and "reviews_train-1.csv" are of train, and so is "train/1.csv" where no name of a
    file says a split. Where no name says one, all files are of train.
    """
    if _declares(folder):
        return None
    tables = [file for file in list_files(folder) if is_table(file.name)]
    tables = [file for file in tables if file.name not in _ABOUT]
    # Plain texts beside tables are licences and such.
    used = [file for file in tables if find_kind(file).name != "txt"] or tables
    if not used:
        return None
    splits = _group(used, folder)
    read = {file for files in splits.values() for file in files}
    left = [file for file in used if file not in read]
    notes = [
        f"split {split!r} is read from {len(files):,} files: {_list(files, folder)}"
        for split, files in splits.items()
        if len(files) > 1
    ]
    if left:
        notes.append(f"not read, as their names say no split: {_list(left, folder)}")
    return SplitFiles(splits, tuple(notes))


def _declares(folder: Path) -> bool:
    """Whether a folder says itself what its files are, in its card or by a program."""
    card = folder / "README.md"
    declared = card.is_file() and _DECLARED.search(card.read_text("utf-8", errors="replace"))
    return bool(declared) or (folder / f"{folder.resolve().name}.py").is_file()


def _group(files: list[Path], folder: Path) -> dict[str, list[Path]]:
    by_file = {file: _find_split((file.name,)) for file in files}
    by_folder = {file: _find_split(file.relative_to(folder).parts[:-1]) for file in files}
    found = by_file if any(by_file.values()) else by_folder
    if not any(found.values()):
        return {"train": files}
    return {
        split: of_split
        for split in _SPLITS
        if (of_split := [file for file in files if found[file] == split])
    }


def _find_split(names: tuple[str, ...]) -> str | None:
    """Return the split that names say; the last one where there are several."""
    words = (word for name in names for word in _WORDS.findall(name.lower()))
    return next((_SPLIT_OF[word] for word in reversed(list(words)) if word in _SPLIT_OF), None)


def _list(files: list[Path], folder: Path) -> str:
    shown = ", ".join(file.relative_to(folder).as_posix() for file in files[:MOST_NAMED])
    more = len(files) - MOST_NAMED
    return shown + (f" and {more:,} more" if more > 0 else "")
