"""Faults planted in a real dataset are found, apart from those that it has itself."""

import numpy as np
import pytest
from datasets import Dataset

from tests.training.loader import ROOT
from training.data.sources import Source, load_source
from training.inspection.doctor import inspect_source
from training.inspection.findings import Findings, Match

FOLDER = ROOT.parent / "shared" / "data" / "rotten_tomatoes"
FLIPPED, COPIED = 100, 200
EMPTY = {"train": 30, "validation": 10, "test": 10}
BLANKS = (None, "", " \n\t")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="the data for measuring is not beside the repository"
    ),
]


def inspect(splits: dict[str, Dataset]) -> Findings:
    source = Source("rotten tomatoes", "rotten_tomatoes", None, None, splits)
    return inspect_source(source, text_column=None, label_column=None, seed=1)


class Planted:
    """The dataset with faults in it: rows are added at the ends of splits, labels changed in train.

    Half of the copies are in other case and spacing.
    """

    def __init__(self, splits: dict[str, Dataset]) -> None:
        draw = np.random.default_rng(0)
        self.rows = {
            name: list(zip(*rows[:].values(), strict=True)) for name, rows in splits.items()
        }
        train = self.rows["train"]
        self.copied = draw.choice(len(train), COPIED, replace=False).tolist()
        for name, rows in (("validation", self.copied[:100]), ("test", self.copied[100:])):
            copies = [train[row] for row in rows]
            self.rows[name] += [
                *copies[:50],
                *((f" {t.upper()} ", label) for t, label in copies[50:]),
            ]
        self.flipped = draw.choice(len(train), FLIPPED, replace=False).tolist()
        for row in self.flipped:
            text, label = train[row]
            train[row] = (text, 1 - label)
        self.empty = {name: self._add_blanks(name) for name in EMPTY}
        self.splits = {
            name: Dataset.from_dict(
                dict(zip(("text", "label"), zip(*rows, strict=True), strict=True)),
                features=splits[name].features,
            )
            for name, rows in self.rows.items()
        }

    def shuffle_train(self) -> tuple[dict[str, Dataset], set[int]]:
        """Return the splits with the rows of train in any order, and where the flipped ones are."""
        train = self.splits["train"]
        rows = np.random.default_rng(1).permutation(len(train))
        flipped = np.flatnonzero(np.isin(rows, self.flipped)).tolist()
        return {**self.splits, "train": train.select(rows)}, set(flipped)

    def _add_blanks(self, name: str) -> tuple[int, ...]:
        rows = self.rows[name]
        first = len(rows)
        rows += [(BLANKS[number % len(BLANKS)], number % 2) for number in range(EMPTY[name])]
        return tuple(range(first, len(rows)))


@pytest.fixture(scope="module")
def splits() -> dict[str, Dataset]:
    return load_source(str(FOLDER), config=None, revision=None).splits


@pytest.fixture(scope="module")
def clean(splits: dict[str, Dataset]) -> Findings:
    return inspect(splits)


@pytest.fixture(scope="module")
def planted(splits: dict[str, Dataset]) -> Planted:
    return Planted(splits)


@pytest.fixture(scope="module")
def found(planted: Planted) -> Findings:
    return inspect(planted.splits)


def matches(findings: Findings, split: str, of: str) -> tuple[Match, ...]:
    (repeats,) = [r for r in findings.repeats if (r.split, r.of) == (split, of)]
    return repeats.exact


def test_every_copy_is_found_with_its_original(
    clean: Findings, planted: Planted, found: Findings, splits: dict[str, Dataset]
) -> None:
    for name, originals in (("validation", planted.copied[:100]), ("test", planted.copied[100:])):
        first = len(splits[name])
        expected = {(first + number, row) for number, row in enumerate(originals)}
        exact = {(match.row, match.twin) for match in matches(found, name, "train")}
        assert expected <= exact
        assert len(exact) == len(matches(clean, name, "train")) + 100


def test_every_empty_row_is_found(planted: Planted, clean: Findings, found: Findings) -> None:
    assert {faults.split: faults.empty for faults in clean.faults} == dict.fromkeys(EMPTY, ())
    assert {faults.split: faults.empty for faults in found.faults} == planted.empty


def test_copies_with_flipped_labels_are_contradictions(planted: Planted, found: Findings) -> None:
    both = set(planted.copied) & set(planted.flipped)
    rows = {
        row.place.row
        for contradiction in found.contradictions
        for row in contradiction.rows
        if row.place.split == "train"
    }
    assert both <= rows
    assert len(both) > 0


def suspected(findings: Findings) -> set[int]:
    """Return the suspicious rows of train."""
    assert findings.suspicion is not None
    suspects = findings.suspicion.suspects
    assert len(suspects) <= 300
    return {suspect.place.row for suspect in suspects if suspect.place.split == "train"}


def test_flipped_labels_break_the_order(planted: Planted, found: Findings) -> None:
    """The dataset has all rows of one class first. By chance 3 would be among the suspects."""
    assert len(suspected(found) & set(planted.flipped)) >= 50
    assert found.suspicion is not None
    by_order = [found for found in found.suspicion.suspects if found.reason == "order"]
    wrong = [found for found in by_order if found.place.row not in planted.flipped]
    assert len(wrong) <= 5


def test_flipped_labels_among_shuffled_rows_are_suspected(planted: Planted) -> None:
    """The model alone is right about four rows of five, which bounds what it can find."""
    splits, flipped = planted.shuffle_train()
    shuffled = inspect(splits)
    assert "train" not in {found.split for found in shuffled.sorted_splits}
    assert len(suspected(shuffled) & flipped) >= 30


def test_no_row_of_the_dataset_itself_breaks_the_order(clean: Findings) -> None:
    assert [found.split for found in clean.sorted_splits] == ["train", "validation", "test"]
    assert not any(found.breaks for found in clean.sorted_splits)
