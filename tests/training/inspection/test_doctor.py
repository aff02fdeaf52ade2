"""A dataset with every kind of fault is inspected without an error, and all of it is found."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.inspection.made_up_texts import exchange, make_opinions, make_source
from training.commands.options import write_json
from training.console import console
from training.data.coverage import COVERED
from training.inspection.alarms import find_alarms
from training.inspection.doctor import inspect_source, leaks_of, quick_findings
from training.inspection.findings import Findings
from training.inspection.terminal import print_alarms, print_findings
from training.pretrained.shipped import read_tokenizer
from training.reading import Reading

TEXTS, LABELS = make_opinions(330)


@pytest.fixture(scope="module")
def findings() -> Findings:
    rows = list(zip(TEXTS, LABELS, strict=True))
    train, test = rows[:300], rows[300:]
    train += [("", 0), (None, 1), ("without label", -1)]  # 300 to 302
    train += [train[5], (train[6][0], 1 - train[6][1])]  # 303, 304
    test += [(train[7][0].upper(), train[7][1])]  # 30
    source = make_source({"test": test, "train": train}, names=["no", "yes"])
    return inspect_source(source, reading=Reading(), seed=1, english=read_tokenizer())


@pytest.fixture(scope="module")
def broken() -> Findings:
    """Return what is found in a sorted dataset with a wrong label in row 50."""
    rows = sorted(zip(TEXTS, LABELS, strict=True), key=lambda row: row[1])
    rows[50] = (rows[50][0], 1)
    source = make_source({"train": rows}, names=["no", "yes"])
    return inspect_source(source, reading=Reading(), seed=1)


def shown(findings: Findings, *, short: bool = False) -> str:
    with console.capture() as capture:
        (print_alarms if short else print_findings)(findings)
    return capture.get()


@pytest.mark.parametrize("name", ["L" * 300, "长" * 200, "a long name in words " * 20])
def test_counts_stand_beside_names_of_any_length(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = make_source({"train": list(zip(TEXTS, LABELS, strict=True))}, names=["no", name])
    monkeypatch.setattr(console, "width", 80)
    table = shown(inspect_source(source, reading=Reading(), seed=1)).partition("rows by class")[2]
    rows = table.splitlines()[1:3]
    assert all(line.rstrip().endswith("%)") for line in rows), rows


class TestInspect:
    def test_faults(self, findings: Findings) -> None:
        train, test = sorted(findings.faults, key=lambda faults: -faults.rows)
        assert (train.rows, train.empty, train.unlabelled) == (305, (300, 301), (302,))
        assert (test.rows, test.empty, test.unlabelled) == (31, (), ())

    def test_repeats(self, findings: Findings) -> None:
        found = {(repeats.split, repeats.of): repeats.exact for repeats in findings.repeats}
        assert [(match.row, match.twin) for match in found["train", "train"]] == [
            (303, 5),
            (304, 6),
        ]
        assert [(match.row, match.twin) for match in found["test", "train"]] == [(30, 7)]

    def test_contradictions(self, findings: Findings) -> None:
        (contradiction,) = findings.contradictions
        assert [row.place.row for row in contradiction.rows] == [6, 304]
        assert contradiction.similarity is None

    def test_suspects(self, findings: Findings) -> None:
        assert findings.suspicion is not None
        assert findings.suspicion.suspects[0].place.row == 304

    def test_measures(self, findings: Findings) -> None:
        assert [lengths.split for lengths in findings.lengths] == ["train", "test"]
        assert findings.lengths[0].words["100 %"] == 10
        assert [overlap.split for overlap in findings.vocabulary] == ["test"]
        assert sum(findings.balance[0].counts.values()) == findings.balance[0].labelled == 304

    def test_origin(self, findings: Findings) -> None:
        assert (findings.source, findings.text_column) == ("made up", "text")
        assert findings.label_column == "label"
        assert findings.labels == ("no", "yes")

    def test_words_that_the_shipped_network_knows(self, findings: Findings) -> None:
        assert set(findings.english) == {"train", "test"}
        assert 0 < findings.english["train"] < COVERED  # the words are made up
        assert "a training of the usual shape does not start from it" in " ".join(
            shown(findings).split()
        )
        english = replace(findings, english={"train": 0.9, "test": 0.812})
        told = " ".join(shown(english).split())
        assert (
            "knows: 90.0% in train, 81.2% in test; a training of the usual shape starts from it"
            in told
        )

    def test_several_labels(self) -> None:
        rows = [
            (text, [label, 2] if label else [2]) for text, label in zip(TEXTS, LABELS, strict=True)
        ]
        source = make_source({"train": rows}, names=["a", "b", "c"])
        found = inspect_source(source, reading=Reading(), seed=1)
        assert found.multi_label
        assert found.balance[0].counts["c"] == 330
        assert "any number of 3 classes" in shown(found)

    @pytest.mark.parametrize("counts", [[5] * 8, [1, 2, 3, 4], [4] * 60, [1, 1]])
    def test_a_few_rows_of_each_label(self, counts: list[int]) -> None:
        labels = [label for label, count in enumerate(counts) for _ in range(count)]
        rows = list(zip(TEXTS, labels, strict=False))
        names = [f"intent {label}" for label in range(len(counts))]
        findings = inspect_source(
            make_source({"train": rows}, names=names), reading=Reading(), seed=1
        )
        assert findings.suspicion is None  # no label has enough rows to judge by
        assert "fewer than 10 rows" in shown(findings, short=True)
        assert "intent 1" in shown(findings)

    def test_nothing_but_faults(self) -> None:
        source = make_source({"train": [(None, -1), ("", 0), (" ", -1)]}, names=["a", "b"])
        found = inspect_source(source, reading=Reading(), seed=1)
        assert found.faults[0].empty == (0, 1, 2)
        assert found.suspicion is None
        assert shown(found)


class TestSorted:
    def test_the_wrong_label_is_the_first_suspect(self, broken: Findings) -> None:
        assert [(found.split, found.breaks) for found in broken.sorted_splits] == [("train", (50,))]
        assert broken.suspicion is not None
        suspect = broken.suspicion.suspects[0]
        assert (suspect.place.row, suspect.proposed, suspect.reason) == (50, ("no",), "order")

    def test_it_is_told(self, broken: Findings, tmp_path: Path) -> None:
        told = shown(broken)
        assert "sorted by label: shuffle before you cut it in parts" in told
        assert "train, with 1 out of order: 50" in told
        assert "1 by the order" in told
        alarm = "train is sorted by label but for 1 of its 330 rows: likely wrong labels"
        assert alarm in find_alarms(broken)
        write_json(asdict(broken), path=tmp_path / "found.json")
        found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
        assert found["sorted_splits"] == [{"split": "train", "breaks": [50]}]
        assert found["suspicion"]["suspects"][0]["reason"] == "order"

    def test_a_clean_one_is_told_too_but_not_before_training(self) -> None:
        labels = {"train": np.array(sorted(LABELS), np.int32)}
        found = quick_findings({"train": TEXTS}, labels=labels, classes=["no", "yes"])
        assert "train, with none out of order" in shown(found)
        assert shown(found, short=True) == ""


class TestQuick:
    def quick(self, findings: Findings) -> Findings:
        almost = exchange(" ".join(TEXTS[:3]), place=2, word="other")
        texts = {
            "train": [*TEXTS, "", TEXTS[0]],
            "validation": [TEXTS[1], " ".join(TEXTS[:3]), almost],
        }
        labels = {"train": [*LABELS, 0, 1 - LABELS[0]], "validation": [LABELS[1], 0, 0]}
        encoded = {split: np.array(rows, np.int32) for split, rows in labels.items()}
        return quick_findings(texts, labels=encoded, classes=findings.labels)

    def test_what_it_finds(self, findings: Findings) -> None:
        found = self.quick(findings)
        repeats = {(each.split, each.of): each for each in found.repeats}
        assert found.faults[0].empty == (330,)
        assert [match.row for match in repeats["train", "train"].exact] == [331]
        assert [match.row for match in repeats["validation", "train"].exact] == [0]
        assert [match.row for match in repeats["validation", "validation"].near] == [2]
        assert len(found.contradictions) == 1
        assert found.balance[0].labelled == 332

    def test_leaks_are_those_of_the_texts(self, findings: Findings) -> None:
        leaks = leaks_of(self.quick(findings))
        assert {split: rows.tolist() for split, rows in leaks.items()} == {
            "validation": [True, False, False]
        }

    def test_what_it_leaves(self, findings: Findings) -> None:
        found = self.quick(findings)
        assert (found.suspicion, found.lengths, found.vocabulary) == (None, (), ())

    def test_several_labels(self) -> None:
        labels = {"train": np.array([[1, 0], [1, 1], [0, 0]], np.int32)}
        found = quick_findings({"train": ["a", "a", "b"]}, labels=labels, classes=["x", "y"])
        assert len(found.contradictions) == 1


class TestTell:
    def test_no_text_is_shown(self, findings: Findings, tmp_path: Path) -> None:
        write_json(asdict(findings), path=tmp_path / "found.json")
        told = shown(findings) + shown(findings, short=True)
        told += (tmp_path / "found.json").read_text(encoding="utf-8")
        words = {word for text in TEXTS for word in text.split()}
        assert not words & set(told.replace('"', " ").split())

    def test_rows_and_labels(self, findings: Findings) -> None:
        told = shown(findings)
        assert "train has 2 without text: 300, 301" in told
        assert "train has 1 without a label: 302" in told
        assert "test has 1 that exactly stand in train too: 30 as 7" in told
        assert "train has 2 that exactly repeat another of it: 303 as 5, 304 as 6" in told
        yes = "'yes'" if LABELS[6] else "'no'"
        assert f"train 6 is {yes}, train 304 is" in told

    def test_alarms(self, findings: Findings) -> None:
        assert find_alarms(findings) == [
            "test shares 1 of its 31 rows with train (1 exactly, 0 nearly), so its figures flatter",
            "labels that contradict each other: 1 on the same text, 0 on nearly the same",
            "train has 2 of 305 rows without text",
            "train has 1 of 305 rows without a label",
        ]

    def test_short_form_is_the_alarms(self, findings: Findings) -> None:
        told = shown(findings, short=True).splitlines()
        assert told == [f"warning: {alarm}" for alarm in find_alarms(findings)]

    def test_nothing_to_warn_of(self) -> None:
        labels = {"train": np.array(LABELS, np.int32)}
        found = quick_findings({"train": TEXTS}, labels=labels, classes=["no", "yes"])
        assert shown(found, short=True) == ""

    def test_imbalance(self) -> None:
        labels = {"train": np.array([0] * 320 + [1] * 10, np.int32)}
        found = quick_findings({"train": TEXTS}, labels=labels, classes=["no", "yes", "never"])
        assert find_alarms(found) == [
            "train has fewer than 10 rows of 'never'",
            "97.0% of train is 'no'",
        ]

    def test_many_repeats_in_train(self) -> None:
        labels = {"train": np.array(LABELS + LABELS[:4], np.int32)}
        found = quick_findings({"train": TEXTS + TEXTS[:4]}, labels=labels, classes=["no", "yes"])
        assert find_alarms(found) == ["train repeats 4 of its 334 rows (4 exactly, 0 nearly)"]

    def test_json(self, findings: Findings, tmp_path: Path) -> None:
        write_json(asdict(findings), path=tmp_path / "found.json")
        found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
        assert found["faults"][1]["empty"] == [300, 301]
        assert found["contradictions"][0]["rows"][1]["place"] == {"split": "train", "row": 304}
        assert found["suspicion"]["suspects"][0]["place"]["row"] == 304
