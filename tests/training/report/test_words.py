"""Figures are written one way everywhere, and never rounded to what they are not."""

import pytest

from training.report import words


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.8997, "90.0 %"), (1.0, "100.0 %"), (0.99999, "> 99.9 %"), (0.00001, "< 0.1 %"),
        (0.0, "0.0 %"), (None, "–"),
    ],
)  # fmt: skip
def test_percent(value: float | None, written: str) -> None:
    assert plain(words.percent(value)) == written


@pytest.mark.parametrize(
    ("p", "at_most", "written"),
    [
        (1.0, False, "p = 1"), (0.354, False, "p = 0.35"), (0.0456, False, "p = 0.046"),
        (2.3e-9, False, "p = 2e−9"), (0.0, False, "p < 1e−300"), (2 / 1001, True, "p ≤ 0.002"),
    ],
)  # fmt: skip
def test_p_value(p: float, at_most: bool, written: str) -> None:
    difference = {"p": p, "at_most": at_most}
    assert plain(words.p_value(difference)) == written
    bare = written.removeprefix("p ").removeprefix("= ")
    assert plain(words.p_value(difference, bare=True)) == bare


def test_differences() -> None:
    assert words.apart(0.0123, "accuracy", plus=True) == "+1.2"
    assert words.apart(-0.0123, "accuracy") == "−1.2"
    assert words.apart(-0.0001, "macro_f1") == "0.000"
    assert words.apart(None, "macro_f1") == words.apart(float("nan"), "macro_f1") == "–"
    assert words.lead(-0.012, "macro_f1") == "0.012 in macro-F1"
    assert words.lead(0.012, "accuracy", signed=True) == "+1.2 points of accuracy"


def test_intervals() -> None:
    assert words.interval({"low": 0.896, "high": 0.9034}, "accuracy") == "89.6 to 90.3"
    assert words.interval({"low": 0.896, "high": 0.9034}, "macro_f1") == "0.896 to 0.903"
    assert words.interval({"low": None, "high": None}, "accuracy") == "–"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(42.4, "42 s"), (244.1, "4 min 4 s"), (7_509, "2 h 5 min"), (None, "–")],
)
def test_duration(seconds: float | None, written: str) -> None:
    assert plain(words.duration(seconds)) == written


def test_amounts() -> None:
    assert [words.amount(value) for value in (1.234, 12.34, 1_234.5, None)] == [
        "1.23", "12.3", "1,234", "–",
    ]  # fmt: skip
