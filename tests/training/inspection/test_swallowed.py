"""Texts that hold further rows, and names of classes that look alike, raise an alarm."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.labelled_files import make_rows, write_csv
from training.data.sources import load_source
from training.inspection.alarms import find_alarms
from training.inspection.doctor import inspect_source, quick_findings
from training.inspection.findings import Findings
from training.inspection.terminal import print_findings
from training.reading import Reading
from training.targets import Targets


def inspect(path: Path, **wishes: bool) -> Findings:
    reading = Reading(**wishes)
    source = load_source(str(path), config=None, revision=None, reading=reading)
    return inspect_source(source, reading=reading, seed=1)


def findings_of(*texts: str, classes: tuple[str, ...] = ("neg", "pos")) -> Findings:
    labels: Targets = np.arange(len(texts), dtype=np.int32) % len(classes)
    return quick_findings({"train": texts}, labels={"train": labels}, classes=classes)


@pytest.mark.parametrize(
    "text", ["one,pos\ntwo,neg\nthree", "one\tneg\ntwo", "a\npos;two", "x|pos\n\nlast"]
)
def test_further_rows(text: str) -> None:
    found = findings_of("plain", text)
    assert [place.row for place in found.swallowed] == [1]
    assert "look for a stray quote in the file" in find_alarms(found)[0]


@pytest.mark.parametrize("text", ["one, two\nthree", "it is pos\nand neg", "a,posh\nb", "one,pos"])
def test_texts_of_several_lines(text: str) -> None:
    assert findings_of("plain", text).swallowed == ()


class TestAlike:
    @pytest.mark.medium
    @pytest.mark.parametrize(
        "dirty", ["neg ", "Neg", "neg\u00a0", "neg\u200b", "\uff4e\uff45\uff47", " NEG"]
    )
    def test_alarm(self, tmp_path: Path, dirty: str) -> None:
        path = write_csv(tmp_path / "r.csv", make_rows(60, labels=["neg", "pos", dirty]))
        found = inspect(path)
        (alarm,) = [alarm for alarm in find_alarms(found) if "--clean-labels" in alarm]
        assert "'neg' (20)" in alarm
        assert alarm.count("(20)") == 2
        assert all(one.isprintable() for one in alarm)
        assert not inspect(path, clean_labels=True).alike

    def test_no_alarm(self) -> None:
        assert findings_of("a", "b", classes=("neg", "negs", "01", "1")).alike == ()


def test_rows_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv")
    path.write_text(path.read_text() + "a,b,c\n,\n")
    notices = inspect(path).notices
    assert "1 row cannot be read: r.csv, line 42: 3 fields, where the header has 2" in notices
    assert "r.csv: an empty row is left out: line 43" in notices


def test_the_printed_findings_name_both(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings(findings_of("plain", "one,pos\ntwo", classes=("neg", "Neg", "pos")))
    printed = capsys.readouterr().err
    assert "  'neg' (1) and 'Neg' (1)\n" in printed
    assert "further rows\n  train: 1\n" in printed
