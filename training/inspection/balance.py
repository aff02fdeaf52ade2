"""Counts the rows of each class in each split."""

from training.data.classes import UNLABELLED, count_classes
from training.inspection.findings import Balance
from training.inspection.table import Table


def measure_balance(table: Table) -> tuple[Balance, ...]:
    """Return the rows of each class by split; a row counts for each of its labels."""
    return tuple(_count(table, split) for split in table.sizes)


def _count(table: Table, split: str) -> Balance:
    span = table.spans[split]
    labels = table.labels[span][table.codes[span] != UNLABELLED]
    counts = count_classes(labels, classes=len(table.classes))
    return Balance(split, len(labels), dict(zip(table.classes, counts.tolist(), strict=True)))
