"""Chooses the findings that a person should know before a training."""

from collections import Counter
from collections.abc import Iterable, Sequence

from training.data.labels import show_name
from training.inspection.findings import (
    Contradiction,
    Faults,
    Findings,
    Leftovers,
    Place,
    Repeats,
    Shift,
    SortedSplit,
)
from training.inspection.table import TRAIN

RARE = 10  # rows; an alarm names the classes with fewer in train
DOMINANT = 0.9  # share of train; an alarm names a class with more
MANY_REPEATS = 0.01  # share of train; more repeated rows raise an alarm
FEW_LEFTOVERS = 5, 0.001  # rows and share of a split; an alarm needs more than both
MOST_NAMED = 5  # classes
MOST_MOVED = 3  # words
APART = 0.85  # area under the curve at which texts are of another kind, whatever their words
FAULTS = {
    "empty": "without text",
    "not_text": "that hold something other than text",
    "unlabelled": "without a label",
    "bad_label": "whose label names no class",
}
LEFTOVERS = {
    "entities": "with HTML entities such as &amp;",
    "misdecoded": "with characters of a wrong encoding such as Ã©",
    "invisible": "with invisible characters such as soft hyphens, which are not read",
}
REMEDIES = {  # none for invisible characters: they do no harm
    "entities": "decode them in the data, and in what you send to the service",
    "misdecoded": "save the data again from its source, in UTF-8",
}


def find_alarms(findings: Findings) -> list[str]:
    """Return the warnings, one line each, the most serious first."""
    return [
        *_swallowed_alarms(findings.swallowed),
        *_alike_alarms(findings),
        *_leak_alarms(findings.repeats, findings.faults),
        *_shift_alarms(findings.shifts),
        *_contradiction_alarms(findings.contradictions),
        *_break_alarms(findings.sorted_splits, findings.faults),
        *_fault_alarms(findings.faults),
        *_leftover_alarms(findings.leftovers),
        *_repeat_alarms(findings.repeats, findings.faults),
        *_balance_alarms(findings),
    ]


def _swallowed_alarms(swallowed: Sequence[Place]) -> list[str]:
    if not swallowed:
        return []
    first = swallowed[0]
    return [
        f"{len(swallowed):,} texts hold what looks like further rows, the first in row "
        f"{first.row:,} of {first.split}: look for a stray quote in the file"
    ]


def _alike_alarms(findings: Findings) -> list[str]:
    """Return an alarm if names of classes differ only in what a reader does not see as such."""
    groups = describe_alike(findings)
    if not groups:
        return []
    more = f", and {len(groups) - MOST_NAMED:,} more" if len(groups) > MOST_NAMED else ""
    return [
        "labels that differ only in case, spaces or invisible characters are classes of their own: "
        f"{', '.join(groups[:MOST_NAMED])}{more}; --clean-labels makes each group one"
    ]


def describe_alike(findings: Findings) -> list[str]:
    """Return the groups of classes that look alike in words, with the rows of each."""
    rows = Counter[str]()
    for balance in findings.balance:
        rows.update(balance.counts)
    return [
        " and ".join(f"{show_name(name, quoted=True)} ({rows[name]:,})" for name in group)
        for group in findings.alike
    ]


def _shift_alarms(shifts: Iterable[Shift]) -> list[str]:
    return [
        f"{found.split} comes from elsewhere than train: a model tells their texts apart with an "
        f"AUC of {found.auc:.2f} ({found.low:.2f} to {found.high:.2f}){_name_moved(found)}, so "
        f"figures on it say little about texts like those of train"
        for found in shifts
        if found.words or found.low >= APART
    ]


def _name_moved(shift: Shift) -> str:
    """Return the words that moved, with the share of rows that hold them."""
    shown = (
        f"{moved.word!r} in {moved.split:.0%} of its rows, in {moved.train:.0%} of train"
        for moved in shift.words[:MOST_MOVED]
    )
    return f" ({'; '.join(shown)})" if shift.words else ""


def _leak_alarms(repeats: Iterable[Repeats], faults: Iterable[Faults]) -> list[str]:
    rows = {split.split: split.rows for split in faults}
    return [
        f"{found.split} shares {len(found):,} of its {rows[found.split]:,} rows with train "
        f"({_count(found)}), so its figures flatter"
        for found in repeats
        if found.of == TRAIN and found.split != TRAIN and len(found) > 0
    ]


def _repeat_alarms(repeats: Iterable[Repeats], faults: Iterable[Faults]) -> list[str]:
    rows = {split.split: split.rows for split in faults}
    return [
        f"train repeats {len(found):,} of its {rows[TRAIN]:,} rows ({_count(found)})"
        for found in repeats
        if found.of == found.split == TRAIN and len(found) > MANY_REPEATS * rows[TRAIN]
    ]


def _count(found: Repeats) -> str:
    return f"{len(found.exact):,} exactly, {len(found.near):,} nearly"


def _contradiction_alarms(contradictions: Sequence[Contradiction]) -> list[str]:
    if not contradictions:
        return []
    exact = sum(found.similarity is None for found in contradictions)
    near = len(contradictions) - exact
    return [
        f"labels that contradict each other: {exact:,} on the same text, "
        f"{near:,} on nearly the same"
    ]


def _break_alarms(splits: Iterable[SortedSplit], faults: Iterable[Faults]) -> list[str]:
    rows = {split.split: split.rows for split in faults}
    return [
        f"{found.split} is sorted by label but for {len(found.breaks):,} of its "
        f"{rows[found.split]:,} rows: likely wrong labels"
        for found in splits
        if found.breaks
    ]


def _fault_alarms(faults: Iterable[Faults]) -> list[str]:
    return [
        f"{split.split} has {len(rows):,} of {split.rows:,} rows {described}"
        for split in faults
        for kind, described in FAULTS.items()
        if (rows := getattr(split, kind))
    ]


def _leftover_alarms(leftovers: Iterable[Leftovers]) -> list[str]:
    few, share = FEW_LEFTOVERS
    return [
        f"{split.split} has {len(rows):,} of {split.rows:,} rows {LEFTOVERS[kind]}: {remedy}"
        for split in leftovers
        for kind, remedy in REMEDIES.items()
        if len(rows := getattr(split, kind)) > max(few, share * split.rows)
    ]


def _balance_alarms(findings: Findings) -> list[str]:
    balance = next((found for found in findings.balance if found.split == TRAIN), None)
    if balance is None or balance.labelled == 0:
        return []
    rare = [repr(name) for name, rows in balance.counts.items() if rows < RARE]
    more = f" and {len(rare) - MOST_NAMED:,} more" if len(rare) > MOST_NAMED else ""
    alarms = [f"train has fewer than {RARE} rows of {', '.join(rare[:MOST_NAMED])}{more}"]
    name, rows = max(balance.counts.items(), key=lambda item: item[1])
    share = rows / balance.labelled
    return alarms * bool(rare) + [f"{share:.1%} of train is {name!r}"] * (share > DOMINANT)
