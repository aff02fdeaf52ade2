"""Examines each contestant with each seed, and keeps every result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training.comparison.candidates import Contestant
from training.comparison.examine import examine
from training.comparison.material import Material
from training.comparison.records import Examined
from training.console import console
from training.pretrained.network import Pretrained
from training.settings import Cell
from training.workers import Started, Workers, at_hand


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A contestant with one seed.

    Args:
        contestant: The contestant.
        seed: Seed of weights, order and dropout.
        start: The network that it starts from, if there is one.
    """

    contestant: Contestant
    seed: int
    start: Pretrained | None

    @property
    def file(self) -> str:
        """Name of the file of its result."""
        return f"{self.contestant.key}-{self.seed}.npz"

    def __str__(self) -> str:
        return f"{self.contestant.name}, seed {self.seed}"


def examine_all(
    material: Material,
    contestants: Sequence[Contestant],
    seeds: int,
    *,
    starts: Mapping[Cell, Pretrained],
    folder: Path,
    workers: Workers,
) -> list[Examined]:
    """Return the results of each contestant with each seed, seed by seed.

    The cost of a contestant is measured once, with its first seed that can be fitted.

    Args:
        material: The inputs of all contestants.
        contestants: The contestants.
        seeds: Number of seeds, counted up from that of the settings.
        starts: The network that each cell starts from.
        folder: Folder that keeps results; what has one is not examined again.
        workers: Where the fits run.

    Raises:
        Interrupted: A signal asked for the end; complete results are kept.
    """
    first = material.run.settings.seed
    entries = [
        Entry(contestant=each, seed=seed, start=starts.get(each.cell))
        for seed in range(first, first + seeds)
        for each in contestants
    ]
    shared = workers.share(material)
    due = [(entry, entry.seed == first) for entry in entries]
    _examine_due(shared, due, entries, folder=folder, workers=workers)
    if unpriced := list(_find_unpriced(entries, folder=folder)):
        # The seed that was to be priced could not be fitted; the fit of another one is repeated.
        for entry in unpriced:
            (folder / entry.file).unlink()
        due = [(entry, True) for entry in unpriced]
        _examine_due(shared, due, entries, folder=folder, workers=workers)
    return [Examined.load(folder / entry.file) for entry in entries]


def _examine_due(
    shared: object,
    due: Sequence[tuple[Entry, bool]],
    entries: Sequence[Entry],
    *,
    folder: Path,
    workers: Workers,
) -> None:
    """Examine entries without a kept result; beside each stands whether its cost is measured."""
    started: dict[Started, Entry] = {}
    for entry, priced in due:
        if (folder / entry.file).is_file():
            console.print(f"{_number(entry, entries)}: done before")
        else:
            started[workers.start(examine_entry, shared, entry, priced)] = entry
    for call in workers.by_completion(list(started)):
        console.print(_number(started[call], entries))
        call.result().save(folder / started[call].file)


def _number(entry: Entry, entries: Sequence[Entry]) -> str:
    return f"{entries.index(entry) + 1} of {len(entries)}: {entry}"


def _find_unpriced(entries: Sequence[Entry], *, folder: Path) -> Iterator[Entry]:
    """Yield the first fitted entry of each contestant whose cost was not measured."""
    by_contestant: dict[str, list[Entry]] = {}
    for entry in entries:
        by_contestant.setdefault(entry.contestant.key, []).append(entry)
    for own in by_contestant.values():
        found = [Examined.load(folder / entry.file) for entry in own]
        fitted = [place for place, each in enumerate(found) if not each.failed]
        if fitted and not any(each.priced for each in found):
            yield own[fitted[0]]


def examine_entry(material: Material, entry: Entry, priced: bool) -> Examined:
    """Fit and measure an entry; see `examine`. A process of a cluster may do it."""
    with at_hand(material.run) as run:
        return examine(
            replace(material, run=run),
            entry.contestant,
            start=entry.start,
            seed=entry.seed,
            priced=priced,
        )
