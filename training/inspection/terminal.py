"""Prints the findings: row numbers and labels, never a text."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from training.console import console
from training.data.coverage import COVERED
from training.data.labels import show_name
from training.inspection.alarms import FAULTS, LEFTOVERS, describe_alike, find_alarms
from training.inspection.findings import (
    Contradiction,
    Faults,
    Findings,
    LabelledRow,
    Leftovers,
    Suspect,
    Suspicion,
)
from training.inspection.table import TRAIN

MOST_ROWS = 8  # row numbers of one kind
MOST_CLASSES = 40
WIDEST_NAME = 40  # characters of the name of a class; figures need the rest of a line
MOST_SUSPECTS = 20


def print_findings(findings: Findings) -> None:
    """Print all findings, with the first row numbers of each kind."""
    _print_source(findings)
    _print_list("rows that cannot be used", _describe_kinds(findings.faults, FAULTS))
    _print_list("labels that look alike: --clean-labels makes them one", describe_alike(findings))
    _print_list("texts that hold what looks like further rows", _describe_swallowed(findings))
    leftovers = _describe_kinds(findings.leftovers, LEFTOVERS)
    _print_list("what earlier programs left in texts", leftovers)
    _print_list("texts that stand twice", _describe_repeats(findings))
    _print_list("texts with different labels", _describe_contradictions(findings))
    _print_list("sorted by label: shuffle before you cut it in parts", _describe_order(findings))
    _print_balance(findings)
    if findings.lengths:
        _print_lengths(findings)
    if findings.vocabulary:
        _print_vocabulary(findings)
    if findings.english:
        _print_english(findings)
    if findings.shifts:
        _print_shifts(findings)
    if findings.suspicion is not None:
        _print_suspicion(findings.suspicion)


def print_alarms(findings: Findings) -> None:
    """Print the alarms in a few lines, or nothing."""
    for alarm in find_alarms(findings):
        console.print(f"warning: {alarm}")


def _print_source(findings: Findings) -> None:
    if findings.source is not None:
        console.print(f"data: {findings.source}")
        console.print(f"text {findings.text_column!r}, label {findings.label_column!r}")
    rows = ", ".join(f"{split.rows:,} {split.split}" for split in findings.faults)
    kind = "any number of" if findings.multi_label else "one of"
    console.print(f"rows: {rows}; each has {kind} {len(findings.labels)} classes")
    console.print_notes(findings.notices)


def _print_list(heading: str, lines: Iterable[str]) -> None:
    console.print(f"\n{heading}", style="bold")
    for line in list(lines) or ["none"]:
        console.print(f"  {line}")


def _describe_kinds(splits: Iterable[Faults | Leftovers], kinds: Mapping[str, str]) -> list[str]:
    """Return a line for each split and kind of rows, which are a field of that name."""
    return [
        f"{split.split} has {len(rows):,} {described}: {_first(rows)}"
        for split in splits
        for kind, described in kinds.items()
        if (rows := getattr(split, kind))
    ]


def _describe_swallowed(findings: Findings) -> list[str]:
    splits = dict.fromkeys(place.split for place in findings.swallowed)
    return [
        f"{split}: {_first([place.row for place in findings.swallowed if place.split == split])}"
        for split in splits
    ]


def _describe_repeats(findings: Findings) -> list[str]:
    return [
        f"{found.split} has {len(matches):,} that {how} "
        f"{'repeat another of it' if found.split == found.of else f'stand in {found.of} too'}: "
        + _first([f"{match.row} as {match.twin}" for match in matches])
        for found in findings.repeats
        for how, matches in (("exactly", found.exact), ("nearly", found.near))
        if matches
    ]


def _describe_contradictions(findings: Findings) -> list[str]:
    exact = [found for found in findings.contradictions if found.similarity is None]
    near = [found for found in findings.contradictions if found.similarity is not None]
    return [
        line
        for kind, chosen in (("the same text", exact), ("nearly the same text", near))
        if chosen
        for line in (f"{kind}: {len(chosen):,} times", *map(_describe_rows, chosen[:MOST_ROWS]))
    ]


def _describe_rows(contradiction: Contradiction) -> str:
    return "  " + _first([_describe_row(row) for row in contradiction.rows])


def _describe_row(row: LabelledRow) -> str:
    return f"{row.place.split} {row.place.row} is {_name(row.labels)}"


def _describe_order(findings: Findings) -> list[str]:
    return [
        f"{found.split}, with none out of order"
        if not found.breaks
        else f"{found.split}, with {len(found.breaks):,} out of order: {_first(found.breaks)}"
        for found in findings.sorted_splits
    ]


def _print_balance(findings: Findings) -> None:
    table = _make_table("rows by class", [balance.split for balance in findings.balance])
    total = {
        name: sum(balance.counts[name] for balance in findings.balance) for name in findings.labels
    }
    shown = sorted(findings.labels, key=lambda name: -total[name])[:MOST_CLASSES]
    for name in shown:
        shares = [(balance.counts[name], balance.labelled) for balance in findings.balance]
        table.add_row(
            show_name(name), *(f"{rows:,} ({rows / max(all, 1):.1%})" for rows, all in shares)
        )
    _print_table(table)
    if len(shown) < len(findings.labels):
        console.print(f"  and {len(findings.labels) - len(shown):,} smaller ones")


def _print_lengths(findings: Findings) -> None:
    table = _make_table("length of texts by quantile", list(findings.lengths[0].words))
    for split in findings.lengths:
        for unit, values in (("words", split.words), ("tokens", split.tokens)):
            table.add_row(f"{split.split}, {unit}", *(f"{value:,.0f}" for value in values.values()))
    _print_table(table)
    limits = [f"at {cut.limit:,}" for cut in findings.lengths[0].cuts]
    table = _make_table("texts cut, tokens lost", limits)
    for split in findings.lengths:
        table.add_row(split.split, *(f"{cut.texts:,} ({cut.tokens:.1%})" for cut in split.cuts))
    _print_table(table)


def _print_vocabulary(findings: Findings) -> None:
    table = _make_table("words that train has too", ["of the different", "of the running"])
    for overlap in findings.vocabulary:
        table.add_row(overlap.split, f"{overlap.types:.1%}", f"{overlap.occurrences:.1%}")
    _print_table(table)


def _print_english(findings: Findings) -> None:
    shares = ", ".join(f"{share:.1%} in {split}" for split, share in findings.english.items())
    starts = findings.english.get(TRAIN, 0.0) >= COVERED
    console.print(
        f"words that the shipped English network knows: {shares}; "
        f"a training of the usual shape {'starts' if starts else 'does not start'} from it"
    )


def _print_shifts(findings: Findings) -> None:
    table = _make_table("can a model tell it from train? (AUC; chance is 0.5)", ["AUC", "95 %"])
    for shift in findings.shifts:
        table.add_row(shift.split, f"{shift.auc:.3f}", f"{shift.low:.3f} to {shift.high:.3f}")
    _print_table(table)
    for shift in findings.shifts:
        for moved in shift.words:
            console.print(
                f"  {moved.word!r} is in {moved.split:.1%} of the rows of {shift.split}, "
                f"in {moved.train:.1%} of train"
            )


def _print_suspicion(suspicion: Suspicion) -> None:
    table = _make_table("labels most likely wrong", ["given", "rather", "reason", "probability"])
    for found in suspicion.suspects[:MOST_SUSPECTS]:
        place = f"{found.place.split} {found.place.row}"
        given, probability = _name(found.given), f"{found.probability:.4f}"
        table.add_row(place, given, _change(found), found.reason, probability)
    _print_table(table)
    ordered = sum(found.reason == "order" for found in suspicion.suspects)
    if ordered:
        console.print(f"  {ordered:,} by the order: nearly all rows around them have another label")
    console.print(
        f"  {len(suspicion.suspects) - ordered:,} by the text: a linear model would give another; "
        "the probability is what it gives to what is given, and it agrees with "
        f"{suspicion.accuracy:.1%} of the labels of {suspicion.judged:,} rows it had not seen"
    )


def _change(suspect: Suspect) -> str:
    """Return the proposed label of a suspect; for multi-label only the change."""
    added = [f"+ {name!r}" for name in suspect.proposed if name not in suspect.given]
    removed = [f"- {name!r}" for name in suspect.given if name not in suspect.proposed]
    return _name(suspect.proposed) if added and removed else "".join(added + removed)


def _make_table(heading: str, columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(heading, no_wrap=True, max_width=WIDEST_NAME)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _print_table(table: Table) -> None:
    console.print()
    console.print(table)


def _first(items: Sequence[object]) -> str:
    """Return the first items and the number of the others."""
    shown = ", ".join(map(str, items[:MOST_ROWS]))
    return shown + (f" and {len(items) - MOST_ROWS:,} more" if len(items) > MOST_ROWS else "")


def _name(labels: Sequence[str]) -> str:
    return " + ".join(map(repr, labels)) or "none"
