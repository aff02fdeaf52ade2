"""The verdict on the linear baseline says no more than the rows show."""

import numpy as np
import pytest

from tests.training.report.known_results import multi_split, results, single_split
from training.report.comparison import Comparison, _verdict
from training.report.statistics import mcnemar
from training.report.summary import summarize


def compared(split) -> Comparison:
    found = summarize(results(split))["splits"][0]["baseline"]
    assert found is not None
    return found


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_better_network() -> None:
    found = compared(single_split(rows=2_000, strength=3.0, baseline=1.5))
    assert found["better"] == "network"
    assert plain(found["verdict"]).startswith("The network is better than the linear baseline by ")
    assert " points of accuracy (95 % " in plain(found["verdict"])


def test_a_better_baseline() -> None:
    found = compared(single_split(rows=2_000, strength=1.5, baseline=3.0))
    assert found["better"] == "baseline"
    assert found["verdict"].startswith("The linear baseline is better by ")
    assert ": use that, or " in found["verdict"]
    assert "−" not in found["verdict"].replace("e−", "")  # what leads is told as a lead


def test_no_difference() -> None:
    found = compared(single_split(strength=2.0, baseline=2.0))
    assert found["better"] is None
    assert "no difference that these 300 rows could show" in found["verdict"]


def test_accuracy_is_judged_by_mcnemar() -> None:
    split = single_split(rows=1_000, strength=2.5, baseline=2.0)
    ours, theirs = (
        each.argmax(axis=1) == split.labels for each in (split.probabilities, split.baseline)
    )
    difference = compared(split)["differences"]["accuracy"]
    expected = mcnemar(np.sum(ours & ~theirs), np.sum(theirs & ~ours))
    assert difference["p"] == pytest.approx(expected, rel=1e-4)
    assert difference["value"] == pytest.approx(ours.mean() - theirs.mean(), rel=1e-4)
    assert difference["low"] < difference["value"] < difference["high"]
    assert difference["test"] == "exact McNemar"


def test_many_labels_are_judged_by_macro_f1_first() -> None:
    found = compared(multi_split(rows=1_000, strength=3.0, baseline=1.0))
    assert list(found["differences"]) == ["macro_f1", "micro_f1", "subset_accuracy"]
    assert found["better"] == "network"
    first = found["differences"]["macro_f1"]
    assert (first["test"], first["at_most"]) == ("paired bootstrap", True)
    assert "in macro-F1" in found["verdict"]
    assert "p ≤ 0.002" in plain(found["verdict"])


def difference(value: float, *, p: float) -> dict:
    ends = {"low": value - 0.01, "high": value + 0.01}
    return {"value": value, **ends, "p": p, "at_most": False, "test": ""}


def test_a_measure_that_says_the_contrary_is_told() -> None:
    better = difference(0.02, p=0.001)
    told = _verdict({"accuracy": better, "macro_f1": difference(-0.03, p=0.01)}, rows=9)
    first, second = plain(told).split(". The ")
    assert first == (
        "The network is better than the linear baseline by 2.0 points of accuracy "
        "(95 % 1.0 to 3.0, p = 0.001)"
    )
    assert second == (
        "linear baseline, however, is better by 0.030 in macro-F1 (95 % 0.020 to 0.040, p = 0.01)."
    )
    agreed = _verdict({"accuracy": better, "macro_f1": difference(-0.03, p=0.2)}, rows=9)
    assert "however" not in agreed
