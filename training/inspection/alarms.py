"""Chooses from the findings what a person should know before a training starts."""

from collections.abc import Iterable, Sequence

from training.inspection.findings import Contradiction, Faults, Findings, Repeats, SortedSplit
from training.inspection.table import TRAIN

RARE = 10  # rows of a class in train below which it is told
DOMINANT = 0.9  # share of a class in train above which it is told
MANY_REPEATS = 0.01  # share of train above which repeated rows are told
MOST_NAMED = 5  # classes
FAULTS = {
    "empty": "without text",
    "not_text": "that hold something other than text",
    "unlabelled": "without a label",
    "bad_label": "whose label names no class",
}


def find_alarms(findings: Findings) -> list[str]:
    """Return what is worth a warning, a line each, the most serious first."""
    return [
        *_tell_leaks(findings.repeats, findings.faults),
        *_tell_contradictions(findings.contradictions),
        *_tell_breaks(findings.sorted_splits, findings.faults),
        *_tell_faults(findings.faults),
        *_tell_repeats(findings.repeats, findings.faults),
        *_tell_balance(findings),
    ]


def _tell_leaks(repeats: Iterable[Repeats], faults: Iterable[Faults]) -> list[str]:
    rows = {split.split: split.rows for split in faults}
    return [
        f"{found.split} shares {len(found):,} of its {rows[found.split]:,} rows with train "
        f"({_count(found)}), so its figures flatter"
        for found in repeats
        if found.of == TRAIN and found.split != TRAIN and len(found) > 0
    ]


def _tell_repeats(repeats: Iterable[Repeats], faults: Iterable[Faults]) -> list[str]:
    rows = {split.split: split.rows for split in faults}
    return [
        f"train repeats {len(found):,} of its {rows[TRAIN]:,} rows ({_count(found)})"
        for found in repeats
        if found.of == found.split == TRAIN and len(found) > MANY_REPEATS * rows[TRAIN]
    ]


def _count(found: Repeats) -> str:
    return f"{len(found.exact):,} exactly, {len(found.near):,} nearly"


def _tell_contradictions(contradictions: Sequence[Contradiction]) -> list[str]:
    if not contradictions:
        return []
    exact = sum(found.similarity is None for found in contradictions)
    near = len(contradictions) - exact
    return [
        f"labels that contradict each other: {exact:,} on the same text, "
        f"{near:,} on nearly the same"
    ]


def _tell_breaks(splits: Iterable[SortedSplit], faults: Iterable[Faults]) -> list[str]:
    rows = {split.split: split.rows for split in faults}
    return [
        f"{found.split} is sorted by label but for {len(found.breaks):,} of its "
        f"{rows[found.split]:,} rows: likely wrong labels"
        for found in splits
        if found.breaks
    ]


def _tell_faults(faults: Iterable[Faults]) -> list[str]:
    return [
        f"{split.split} has {len(rows):,} of {split.rows:,} rows {described}"
        for split in faults
        for kind, described in FAULTS.items()
        if (rows := getattr(split, kind))
    ]


def _tell_balance(findings: Findings) -> list[str]:
    balance = next((found for found in findings.balance if found.split == TRAIN), None)
    if balance is None or balance.labelled == 0:
        return []
    rare = [repr(name) for name, rows in balance.counts.items() if rows < RARE]
    more = f" and {len(rare) - MOST_NAMED:,} more" if len(rare) > MOST_NAMED else ""
    alarms = [f"train has fewer than {RARE} rows of {', '.join(rare[:MOST_NAMED])}{more}"]
    name, rows = max(balance.counts.items(), key=lambda item: item[1])
    share = rows / balance.labelled
    return alarms * bool(rare) + [f"{share:.1%} of train is {name!r}"] * (share > DOMINANT)
