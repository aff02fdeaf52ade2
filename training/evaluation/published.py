"""Measures a published version on any labelled dataset."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from models.metadata import Metadata
from models.replay import EngineName
from models.versions import Version
from training.console import console
from training.data.classes import Classes
from training.data.labels import LabelFormat, same_name
from training.data.sources import Source
from training.data.splits import Split, read_split
from training.errors import DataError
from training.reading import Reading
from training.replay import draw_timed, median_tokens, replay
from training.report.results import FILE_PART, Cost, Results, SplitResult


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The rows of a dataset to measure on: a split, None for the usual, and how to read it."""

    split: str | None = None
    reading: Reading = field(default_factory=Reading)


def evaluate_version(
    version: Version, source: Source, *, selection: Selection, engine: EngineName
) -> Results:
    """Return the results of a version on the rows of a dataset, as the service would answer.

    Raises:
        DataError: The dataset has no such split or column, or a label that the version lacks.
        ExportError: The engine cannot run the version.
    """
    metadata = version.metadata
    name = _choose_split(source, selection.split)
    rows, notices = read_split(
        source,
        name,
        reading=selection.reading,
        several=metadata.task == "multi_label",
        find=lambda form, column: _known_classes(metadata, form, column, selection.reading),
        strange=_strange(metadata),
    )
    console.print_notes([*source.notes, *notices])
    if len(rows) == 0:
        raise DataError(f"split {name!r} has no rows")
    purpose = _name_purpose(selection.split, rows, metadata)
    return _results(version, source, rows, purpose=purpose, engine=engine)


def _choose_split(source: Source, wanted: str | None) -> str:
    """Return the wanted split, else test, else the only one."""
    there_are = ", ".join(source.splits)
    if wanted is not None and wanted not in source.splits:
        raise DataError(f"no split {wanted!r}; there are: {there_are}")
    if wanted is not None:
        return wanted
    if "test" in source.splits:
        return "test"
    if len(source.splits) == 1:
        return next(iter(source.splits))
    raise DataError(f"no split 'test'; name one with --split, there are: {there_are}")


def _known_classes(metadata: Metadata, form: LabelFormat, column: str, reading: Reading) -> Classes:
    """Return the version's classes by their values in a column that is written so."""
    merged = {same_name(name): name for name in metadata.labels} if reading.clean_labels else None
    _refuse_absent_marks(metadata, form, column, merged=merged or {})
    if not form.declared or form.names is None:
        return Classes(metadata.task, metadata.labels, merged=merged)
    index = {name: place for place, name in enumerate(metadata.labels)}
    unknown = [name for name in form.names if name not in index]
    if unknown:
        raise DataError(f"column {column!r} has the class {unknown[0]!r}, {_strange(metadata)}")
    numbers = {number: index[name] for number, name in enumerate(form.names)}
    return Classes(metadata.task, metadata.labels, numbers)


def _refuse_absent_marks(
    metadata: Metadata, form: LabelFormat, column: str, *, merged: Mapping[str, str]
) -> None:
    """Refuse marks of 0 and 1 that some labels of the version lack: they would count as 0."""
    if form.shape != "multi_hot" or form.names is None:
        return
    marked = {merged.get(same_name(name), name) for name in form.names}
    absent = [name for name in metadata.labels if name not in marked]
    if absent and marked.intersection(metadata.labels):
        raise DataError(
            f"the labels in {column!r} are 0 or 1 for some labels of {metadata.name} only; "
            f"there is none for {', '.join(absent)}"
        )


def _strange(metadata: Metadata) -> str:
    """Return the fault of an unknown label in words, with the known ones."""
    return f"which {metadata.name} does not know; it knows: {', '.join(metadata.labels)}"


def _name_purpose(wanted: str | None, rows: Split, metadata: Metadata) -> str:
    """Return what the rows are called in the report: as the user names them, else test rows.

    Validation rows are only those that the version was chosen by.
    """
    own = rows.sha256 == metadata.data.validation.sha256
    if wanted is None or not FILE_PART.fullmatch(wanted) or (wanted == "validation" and not own):
        return "test"
    return wanted


def _results(
    version: Version, source: Source, rows: Split, *, purpose: str, engine: EngineName
) -> Results:
    metadata = version.metadata
    ids = version.tokenizer.encode_batch(rows.texts)
    timed = draw_timed(len(ids))
    replayed = replay(version.path, ids, engine=engine, timed=timed)
    split = SplitResult(
        name=purpose,
        labels=rows.labels,
        probabilities=replayed.probabilities,
        lengths=np.fromiter(map(len, ids), np.int64, len(ids)),
        row_numbers=rows.rows,
    )
    return Results.of(
        metadata,
        title=f"{metadata.name}:{metadata.version} on {source.name} ({rows.name})",
        splits={"test": split},
        cost=Cost(
            parameters=metadata.architecture.parameters,
            milliseconds_per_text={engine: replayed.median_milliseconds},
            timed_tokens=median_tokens(ids, timed=timed),
        ),
    )
