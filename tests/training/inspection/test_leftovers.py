"""Texts with what an earlier program left in them are counted; others are left alone."""

from typing import Any

import numpy as np
import pytest

from tests.training.inspection.made_up_texts import make_opinions, make_table
from training.console import console
from training.inspection.alarms import find_alarms
from training.inspection.doctor import quick_findings
from training.inspection.findings import Findings, Leftovers
from training.inspection.leftovers import find_leftovers
from training.inspection.terminal import print_alarms, print_findings

KINDS = ("entities", "misdecoded", "invisible")


def kinds_of(text: str) -> list[str]:
    """Return the kinds that the second of three rows is of."""
    table = make_table({"train": ["good", text, ""]}, {"train": [0, 1, 2]})
    (found,) = find_leftovers(table)
    assert found.rows == 3
    return [kind for kind in KINDS if getattr(found, kind) == (1,)]


@pytest.mark.parametrize(
    "text", ["salt &amp; pepper", "it&#39;s", "&#x1F600;", "a&nbsp;b", "&lt;br&gt;", "&amp;quot;"]
)
def test_entities(text: str) -> None:
    assert kinds_of(text) == ["entities"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            word.encode().decode(encoding)
            for encoding in ("latin-1", "cp1252")
            for word in (
                "café",
                "£5",
                "don’t",
                "“so”",
                "großartig",
                "co–op",
                "日本語",
                "😀",
                "hyvää",
                "Österreich",
                "Übel",
            )
            if encoding == "latin-1"
            or all(byte not in b"\x81\x8d\x8f\x90\x9d" for byte in word.encode())
        ),
        *(word.encode().decode("latin-1") for word in ("привет", "γειά", "नमस्ते", "ไทย", "złoty")),
        "wait\x85",  # Windows-1252 that was read as Latin-1
        "caf\ufffd",
        "\ufeffcafé".encode().decode("cp1252"),
    ],
)
def test_wrong_encodings(text: str) -> None:
    assert "misdecoded" in kinds_of(text)


@pytest.mark.parametrize(
    "text", ["soft\u00adhyphen", "\ufeffGood", "a\u200bb", "a\u200e", "Auf\u200clage"]
)
def test_invisible(text: str) -> None:
    assert kinds_of(text) == ["invisible"]


@pytest.mark.parametrize(
    "text",
    [
        "R&D; AT&T, this & that; &notaname; a&b",
        "„Spaß“, Übermaß… CAFÉ’S «déjà» voilà»! Il est allé… » MANHÃ” Âge Œuvre Úžasný São Ñandú",
        "ÇOK GÜZEL, ÄRGER Ø 3 Ångström ±5 µm 20 €, 5 × 4 ½ naïve façade",
        "👩\u200d🚀❤\ufe0f می\u200cخواهم ภาษา\u200bไทย 日本語 Привет Γειά",
    ],
)
def test_what_people_write(text: str) -> None:
    assert kinds_of(text) == []


def find(left: str, *, rows: int) -> Findings:
    texts, labels = make_opinions(300)
    texts = [f"{text} {left}" if row < rows else text for row, text in enumerate(texts)]
    classes: Any = ["no", "yes"]
    return quick_findings({"train": texts}, labels={"train": np.array(labels)}, classes=classes)


def shown(findings: Findings, *, short: bool) -> str:
    with console.capture() as capture:
        (print_alarms if short else print_findings)(findings)
    return " ".join(capture.get().split())


@pytest.mark.parametrize(
    ("left", "alarm"),
    [
        ("&quot;", "rows with HTML entities such as &amp;: decode them in the data, and in"),
        ("cafÃ©", "rows with characters of a wrong encoding such as Ã©: save the data again"),
    ],
)
def test_more_than_a_few_rows_raise_an_alarm_that_says_what_to_do(left: str, alarm: str) -> None:
    assert f"warning: train has 6 of 300 {alarm}" in shown(find(left, rows=6), short=True)
    assert shown(find(left, rows=5), short=True) == ""


def test_a_share_too_small_raises_none() -> None:
    few = Leftovers("train", 1_000_000, entities=tuple(range(1_000)))
    found = Findings(("a", "b"), False, (), (), (), (), leftovers=(few,))
    assert find_alarms(found) == []


def test_rows_are_named() -> None:
    told = shown(find("&quot;", rows=3), short=False)
    assert "what earlier programs left in texts" in told
    assert "train has 3 with HTML entities such as &amp;: 0, 1, 2" in told


def test_invisible_characters_are_counted_without_an_alarm() -> None:
    found = find("soft\u00adhyphen", rows=20)
    assert "train has 20 with invisible characters" in shown(found, short=False)
    assert shown(found, short=True) == ""
