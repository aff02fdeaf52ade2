"""The linear baseline: fair, repeatable, and told apart from the network in nothing but figures."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from training.data.sources import Source
from training.data.splits import LabelledData, Split
from training.errors import DataError
from training.linear.baseline import STRENGTHS, Baseline, fit_baseline

FILLER = ("the", "plot", "was", "an", "evening", "with", "actors", "and", "music")
WORDS = ("superb", "awful", "long")


def make_split(rows: int, *, seed: int, task: str) -> Split:
    """Return texts of filler and of a word for each label."""
    random = np.random.default_rng(seed)
    if task == "multi_label":
        targets = random.integers(0, 2, (rows, 3)).astype(np.int32)
    else:
        targets = random.integers(0, 3, rows).astype(np.int32)
    present = targets if targets.ndim == 2 else np.eye(3, dtype=int)[targets]
    texts = [
        " ".join([*random.choice(FILLER, 8), *(WORDS[i] for i in np.flatnonzero(row)), "."])
        for row in present
    ]
    return Split("made up", texts, targets, np.arange(rows), np.ones(rows, bool))


def make_data(task: str, *, test: bool = True) -> LabelledData:
    train, validation, unseen = (
        make_split(rows, seed=seed, task=task) for seed, rows in enumerate((300, 60, 50))
    )
    source = Source("made up", "made-up", None, None, {})
    splits: tuple[Any, ...] = (train, validation, unseen if test else None)
    return LabelledData(source, "text", "label", task, WORDS, *splits, ())


def fit(data: LabelledData, *, score: str = "accuracy") -> Baseline:
    return fit_baseline(data, score=score, seed=1)


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
def test_it_learns(task: str) -> None:
    data = make_data(task)
    baseline = fit(data)
    assert baseline.kind in STRENGTHS
    assert list(baseline.metrics) == list(baseline.probabilities) == ["validation", "test"]
    for purpose, rows in (("validation", 60), ("test", 50)):
        assert baseline.metrics[purpose]["accuracy"] > 0.95
        assert baseline.metrics[purpose]["rows"] == rows
        probabilities = baseline.probabilities[purpose]
        assert probabilities.shape == (rows, 3)
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        if task == "single_label":
            np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (baseline.rule.thresholds is None) == (task == "single_label")


def make_unspaced(signs: Sequence[str], *, seed: int = 0, rows: int = 300) -> list[tuple[str, int]]:
    """Return sentences without spaces; which of two words of two characters is in one decides."""
    draw = random.Random(seed)
    decisive, filler = (signs[0] + signs[1], signs[1] + signs[0]), signs[2:]
    return [
        (
            "".join([*draw.choices(filler, k=6), decisive[row % 2], *draw.choices(filler, k=6)]),
            row % 2,
        )
        for row in range(rows)
    ]


@pytest.mark.parametrize(
    ("first", "last"),
    [(0x4E00, 0x4E60), (0x3042, 0x3082), (0x0E01, 0x0E2E), (0x1780, 0x17A2), (0x1000, 0x1020)],
    ids=["Chinese", "Japanese", "Thai", "Khmer", "Myanmar"],
)
def test_scripts_without_spaces_are_read_by_characters(first: int, last: int) -> None:
    signs = [chr(code) for code in range(first, last)]
    data = make_data("single_label")
    splits = {}
    for seed, (name, split) in enumerate(data.splits.items()):
        rows = make_unspaced(signs, seed=seed)
        labels = np.array([label for _, label in rows], np.int32)
        fields = {"rows": np.arange(len(rows)), "whole": np.ones(len(rows), bool)}
        splits[name] = replace(split, texts=[text for text, _ in rows], labels=labels, **fields)
    baseline = fit(replace(data, labels=("no", "yes"), **splits))
    assert baseline.metrics["test"]["accuracy"] > 0.95


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        ("un\u00adforget\u200btable", "unforgettable"),
        ("ÇOK İYİ", "çok iyi"),
        ("don’t", "don't"),
        ("Cafe\u0301", "café"),
    ],
)
def test_words_are_in_the_normal_form(odd: str, plain: str) -> None:
    from training.linear import baseline as module

    analyze = module._make_vectorizer("tf-idf bigrams").build_analyzer()
    assert analyze(odd) == analyze(plain)


def test_two_classes() -> None:
    data = make_data("single_label")
    splits = {
        name: replace(split, labels=(split.labels == 1).astype(np.int32))
        for name, split in data.splits.items()
    }
    baseline = fit(replace(data, labels=("other", "awful"), **splits))
    assert baseline.metrics["test"]["accuracy"] > 0.95
    np.testing.assert_allclose(baseline.probabilities["test"].sum(axis=1), 1, rtol=1e-5)


@pytest.mark.medium
@pytest.mark.parametrize(
    ("score", "task", "expected"),
    [
        ("accuracy", "single_label", {"tf-idf bigrams", "naive Bayes trigrams"}),
        ("macro_f1", "multi_label", {"tf-idf bigrams", "naive Bayes trigrams"}),
        (
            "macro_f1",
            "single_label",
            {
                *("tf-idf bigrams", "tf-idf bigrams, balanced"),
                *("naive Bayes trigrams", "naive Bayes trigrams, balanced"),
            },
        ),
    ],
)
def test_the_best_on_validation_is_taken(
    score: str, task: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.linear import baseline as module

    fitted: list[Baseline] = []

    def spy(*arguments: Any, **options: Any) -> Baseline:
        fitted.append(real(*arguments, **options))
        return fitted[-1]

    real = module._fit
    monkeypatch.setattr(module, "_fit", spy)
    best = fit(make_data(task), score=score)
    assert {baseline.kind for baseline in fitted} == expected
    scores = [baseline.metrics["validation"][score] for baseline in fitted]
    assert best.metrics["validation"][score] == max(scores)


def test_without_test_rows() -> None:
    assert list(fit(make_data("single_label", test=False)).metrics) == ["validation"]


def test_the_same_again() -> None:
    one, other = (fit(make_data("multi_label")) for _ in range(2))
    assert (one.kind, one.rule, one.metrics) == (other.kind, other.rule, other.metrics)


@pytest.mark.parametrize("present", [0, 1])
def test_a_label_of_no_row_or_of_all(present: int) -> None:
    data = make_data("multi_label")
    for split in data.splits.values():
        split.labels[:, 2] = present
    probabilities = fit(data).probabilities["test"]
    assert np.abs(probabilities[:, 2] - present).max() < 0.001


@pytest.mark.parametrize("texts", [["", "a b"], ["😀", "?!"]])
def test_hardly_any_words(texts: list[str]) -> None:
    data = make_data("single_label")
    splits = {
        name: replace(split, texts=(texts * len(split))[: len(split)])
        for name, split in data.splits.items()
    }
    baseline = fit(replace(data, **splits))
    assert np.isfinite(baseline.probabilities["test"]).all()


def test_texts_without_a_word_are_told() -> None:
    data = make_data("single_label")
    blank = replace(data.train, texts=[" "] * len(data.train))
    with pytest.raises(DataError, match="no text of train has a word in it"):
        fit(replace(data, train=blank))
