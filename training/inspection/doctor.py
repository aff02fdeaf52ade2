"""Inspects a whole dataset, with the checks of the other files here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.tokenizer import Tokenizer
from training.console import console
from training.data.classes import find_alike
from training.data.coverage import find_coverage
from training.data.sources import Source
from training.data.vocabulary import learn_vocabulary
from training.inspection.contradictions import agree_with_twins, find_contradictions
from training.inspection.duplicates import Duplicates, find_duplicates, find_repeats
from training.inspection.findings import Faults, Findings, Lengths
from training.inspection.leftovers import find_leftovers
from training.inspection.measures import measure_balance, measure_lengths, measure_overlap
from training.inspection.order import Order, find_order, name_sorted
from training.inspection.out_of_fold import Fold
from training.inspection.rows import RawData, is_blank, read_rows
from training.inspection.shift import find_shift
from training.inspection.suspects import find_suspects
from training.inspection.swallowed import find_swallowed
from training.inspection.table import TRAIN, Table
from training.inspection.words import Words, read_words
from training.reading import Reading
from training.settings import TrainSettings
from training.targets import UNLABELLED


def inspect_source(
    source: Source, *, reading: Reading, seed: int, english: Tokenizer | None = None
) -> Findings:
    """Return all findings in a dataset.

    Args:
        source: The dataset. Faults of its rows are findings, not errors.
        reading: How it is to be read.
        seed: Decides which rows are judged together for likely wrong labels.
        english: Vocabulary of the shipped network, to see how many of the words it knows.

    Raises:
        DataError: There are no rows, or a column is missing or unclear.
    """
    with console.status("reading the rows"):
        data = read_rows(source, reading=reading)
        table = _tabulate(data)
    words, duplicates = _compare_texts(table)
    order = find_order(table, usable=words.counts > 0)
    found = _make_findings(table, duplicates, order, faults=[split.faults for split in data.splits])
    with console.status("measuring the texts"):
        lengths = _measure_lengths(table, words)
        vocabulary = measure_overlap(words, table)
    agreement = agree_with_twins(duplicates, table)
    suspicion = find_suspects(
        table,
        words,
        agreement=agreement,
        expected=order.expected,
        seed=seed,
        watch=_show_progress,
    )
    return replace(
        found,
        source=source.description,
        text_column=data.text_column,
        label_column=data.label_column,
        notices=(*source.notes, *data.notices),
        lengths=lengths,
        vocabulary=vocabulary,
        english=_measure_coverage(table, english) if english is not None else {},
        suspicion=suspicion,
    )


def _measure_coverage(table: Table, tokenizer: Tokenizer) -> dict[str, float]:
    """Return the share of the words of each split that a vocabulary knows."""
    return {
        split: find_coverage(tokenizer, table.texts[span.start : span.stop])
        for split, span in table.spans.items()
    }


def quick_findings(
    texts: Mapping[str, Sequence[str]],
    *,
    labels: Mapping[str, NDArray[np.int32]],
    classes: Sequence[str],
) -> Findings:
    """Return the findings that take seconds: no lengths, and nothing that needs a model.

    Args:
        texts: Texts by split. A text in two splits is reported for the later one; train always
            comes first.
        labels: Targets by split: class indices, shape (rows,), or 0 or 1 for each class, shape
            (rows, classes).
        classes: Name of each class.

    Raises:
        ValueError: Texts and labels differ in splits or rows.
    """
    table = Table.join(texts, labels=labels, classes=classes)
    words, duplicates = _compare_texts(table)
    order = find_order(table, usable=words.counts > 0)
    faults = [_find_faults(table, split) for split in table.sizes]
    return _make_findings(table, duplicates, order, faults=faults)


def leaks_of(findings: Findings) -> dict[str, NDArray[np.bool_]]:
    """Return for each split but train whether each row also occurs, exactly or nearly, in train.

    The result is that of `duplicates.find_leaks`, taken from the findings.

    Returns:
        By split, shape (rows,).
    """
    rows = {split.split: split.rows for split in findings.faults}
    leaks = {split: np.zeros(number, bool) for split, number in rows.items() if split != TRAIN}
    for found in findings.repeats:
        if found.of == TRAIN and found.split != TRAIN:
            leaks[found.split][[match.row for match in (*found.exact, *found.near)]] = True
    return leaks


def _show_progress(folds: list[Fold]) -> Iterable[Fold]:
    return console.track(folds, "looking for wrong labels")


def _tabulate(data: RawData) -> Table:
    return Table.join(
        {split.name: split.texts for split in data.splits},
        labels={split.name: split.labels for split in data.splits},
        classes=data.classes,
    )


def _compare_texts(table: Table) -> tuple[Words, Duplicates]:
    with console.status("finding the words"):
        words = read_words(table.texts)
    with console.status("looking for texts that stand twice"):
        return words, find_duplicates(words)


def _make_findings(
    table: Table, duplicates: Duplicates, order: Order, *, faults: Sequence[Faults]
) -> Findings:
    return Findings(
        labels=table.classes,
        multi_label=table.multi_label,
        faults=tuple(faults),
        balance=measure_balance(table),
        repeats=find_repeats(duplicates, table),
        contradictions=find_contradictions(duplicates, table),
        sorted_splits=name_sorted(order, table),
        alike=tuple(find_alike(table.classes)),
        swallowed=find_swallowed(table),
        shifts=find_shift(table),
        leftovers=find_leftovers(table),
    )


def _find_faults(table: Table, split: str) -> Faults:
    span = table.spans[split]
    empty = tuple(row for row, text in enumerate(table.texts[span]) if is_blank(text))
    unlabelled = tuple(np.flatnonzero(table.codes[span] == UNLABELLED).tolist())
    return Faults(split, table.sizes[split], empty=empty, unlabelled=unlabelled)


def _measure_lengths(table: Table, words: Words) -> tuple[Lengths, ...]:
    """Learn the tokenizer of a training, and measure texts with it."""
    split = TRAIN if TRAIN in table.sizes else next(iter(table.sizes))
    tokenizer = learn_vocabulary(table.texts[table.spans[split]], size=TrainSettings.vocabulary)
    return measure_lengths(words, tokenizer, table)
