"""Counts the rows of each class in each split."""

from training.inspection.findings import Balance
from training.inspection.table import Table
from training.targets import UNLABELLED, count_classes


def measure_balance(table: Table) -> tuple[Balance, ...]:
    """Return the rows of each class by split; a row counts for each of its labels."""
    return tuple(_count(table, split) for split in table.sizes)


def _count(table: Table, split: str) -> Balance:
    span = table.spans[split]
    labels = table.labels[span][table.codes[span] != UNLABELLED]
    counts = count_classes(labels, classes=len(table.classes))
    return Balance(split, len(labels), dict(zip(table.classes, counts.tolist(), strict=True)))
