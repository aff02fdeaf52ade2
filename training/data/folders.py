"""Reads the folders of text that datasets come in, without a cache that could be stale."""

from pathlib import Path

from datasets import DatasetBuilder, DownloadManager
from datasets.packaged_modules.csv.csv import CsvConfig

from models.tables.folder import SUFFIX, TextFolder, is_hidden, list_files
from models.tables.kinds import find_kind, is_table
from training.data.files import join_rows, read_file, read_files
from training.data.rows import Rows, TableRows, read_table
from training.data.split_files import VALIDATION_NAMES
from training.reading import Reading

SPLITS = ("train", *VALIDATION_NAMES, "test")
UNLABELLED = ("unsup", "unlabeled", "unlabelled")  # folders whose texts have no label
_PLAIN = ("csv", "json", "text", "parquet")  # builders whose files `models.tables` reads


def read_class_folders(folder: Path, *, reading: Reading) -> dict[str, Rows] | None:
    """Return the splits of a folder such as train/pos/1.txt, a folder for each class.

    Returns:
        The splits; None where the folder holds anything else.
    """
    there = {path.name.lower(): path for path in _list(folder) if path.is_dir()}
    splits = {name: there[name] for name in SPLITS if name in there}
    if not splits:
        splits = {"train": folder}
    if not all(map(_holds_classes, splits.values())):
        return None
    return {name: _read_classes(path, reading) for name, path in splits.items()}


def read_plain_files(builder: DatasetBuilder, *, reading: Reading) -> dict[str, Rows] | None:
    """Return the splits of a local folder whose card names its files.

    Returns:
        The splits; None where it holds other kinds of files, or declares the types of columns.
    """
    if not is_plain(builder):
        return None
    return {
        str(split): read_files([Path(file) for file in files], reading=reading)
        for split, files in (builder.config.data_files or {}).items()
    }


def read_plain_csv(builder: DatasetBuilder, *, reading: Reading) -> dict[str, Rows] | None:
    """Return the splits of a Hub dataset of CSV, whose values stay as they are written.

    Returns:
        The splits; None for other files, which say the types of their values.
    """
    if not isinstance(builder.config, CsvConfig) or not is_plain(builder):
        return None
    downloads = DownloadManager(dataset_name=builder.dataset_name, record_checksums=False)
    splits = {}
    for split, files in (builder.config.data_files or {}).items():
        parts = [
            read_file(
                Path(downloads.download(file)),
                reading=reading,
                format=find_kind(Path(file)).name,
                name=file.rpartition("/")[2],
            )
            for file in files
        ]
        splits[str(split)] = join_rows(parts, names=[file.rpartition("/")[2] for file in files])
    return splits


def is_plain(builder: DatasetBuilder) -> bool:
    """Whether a builder reads tables whose columns have no declared types."""
    kind = type(builder).__module__.rpartition(".")[2]
    return kind in _PLAIN and builder.info.features is None


def _holds_classes(folder: Path) -> bool:
    """Whether a folder holds a folder of text files for each of several classes."""
    classes = [path for path in _list(folder) if path.is_dir() and path.name not in UNLABELLED]
    return len(classes) > 1 and all(map(_holds_texts, classes))


def _holds_texts(folder: Path) -> bool:
    """Whether a folder holds texts, and neither tables nor folders."""
    inside = _list(folder)
    texts = [path for path in inside if path.suffix.lower() == SUFFIX]
    others = [path for path in inside if path not in texts]
    return bool(texts) and not any(path.is_dir() or is_table(path.name) for path in others)


def _list(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not is_hidden(path.name)]


def _read_classes(folder: Path, reading: Reading) -> Rows:
    """Return the texts of a folder with the names of their folders as labels."""
    read = read_table(TextFolder(folder, encoding=reading.encoding), name=folder.name)
    kept = [row for row, file in enumerate(read["file"]) if file.split("/")[0] not in UNLABELLED]
    others = [path for path in list_files(folder) if path.suffix.lower() != SUFFIX]
    first = others[0].relative_to(folder).as_posix() if others else ""
    note = f"{folder.name}: {len(others):,} files do not end in {SUFFIX} and are not read: {first}"
    return TableRows(
        {
            "text": [read["text"][row] for row in kept],
            "label": [read["file"][row].split("/")[0] for row in kept],
        },
        [read.places[row] for row in kept],
        notes=(note,) if others else (),
    )
