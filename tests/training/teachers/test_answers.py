"""An answer of a teacher is understood in every form, or refused with its fault."""

import json
import math
from typing import Any

import numpy as np
import pytest

from training.teachers.answers import AnswerReader, BadAnswer

LABELS = ("neg", "pos", "mixed")
READER = AnswerReader(LABELS, "single_label")
TAGS = AnswerReader(LABELS, "multi_label")
WANTED = [0.2, 0.7, 0.1]
BY_LABEL = dict(zip(LABELS, WANTED, strict=True))


@pytest.mark.parametrize(
    "answer",
    [
        {"probabilities": BY_LABEL},
        {"probabilities": WANTED},
        {"probabilities": np.array(WANTED)},
        {"probabilities": json.dumps(BY_LABEL)},
        {"probabilities": [{"label": name, "score": p} for name, p in BY_LABEL.items()]},
        {"probabilities": {" Pos": 0.7, "NEG": 0.2, "mixed": 0.1}},
        {"predicted_probabilities": BY_LABEL, "label": "neg"},
        {"logprobs": {name: math.log(p) for name, p in BY_LABEL.items()}},
        {"logprobs": [{"token": n, "logprob": math.log(p)} for n, p in BY_LABEL.items()]},
        {"logprobs": [{"token": f" {n.title()}", "logprob": math.log(p / 2)}
                      for n, p in BY_LABEL.items()] + [{"token": "The", "logprob": -0.1}]},
        {name: str(p) for name, p in BY_LABEL.items()},
        {f"predicted_{name}": p for name, p in BY_LABEL.items()},
    ],
)  # fmt: skip
def test_all_labels(answer: dict[str, Any]) -> None:
    np.testing.assert_allclose(READER.read(answer), WANTED, atol=1e-6)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"label": "pos", "score": 0.8}, [0.1, 0.8, 0.1]),
        ({"predicted_label": "pos", "predicted_score": "0.8", "label": "neg"}, [0.1, 0.8, 0.1]),
        ({"label": "mixed"}, [0, 0, 1]),
        ({"label": "Mixed "}, [0, 0, 1]),
        ({"probabilities": {"pos": 0.6, "neg": 0.3}}, [0.3, 0.6, 0.1]),
        ({"probabilities": {"pos": 0.6, "neg": None, "mixed": None}}, [0.2, 0.6, 0.2]),
        ({"logprobs": [{"token": "pos", "logprob": math.log(0.5)}]}, [0.25, 0.5, 0.25]),
        ({"probabilities": {"pos": 0.995, "neg": 0.008}}, [0.008, 0.992, 0]),
    ],
)
def test_the_best_are_enough(answer: dict[str, Any], wanted: list[float]) -> None:
    np.testing.assert_allclose(READER.read(answer), wanted, atol=5e-3)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"labels": ["pos", "mixed"]}, [0, 1, 1]),
        ({"predicted_labels": '["neg"]'}, [1, 0, 0]),
        ({"labels": []}, [0, 0, 0]),
        ({"predicted_labels": [], "neg": 1, "pos": 0, "mixed": 1}, [0, 0, 0]),
        ({"probabilities": {"pos": 0.9, "neg": 0.8}}, [0.8, 0.9, 0]),
        ({"neg": 0.9, "pos": 0.9, "mixed": 0.9}, [0.9, 0.9, 0.9]),
    ],
)
def test_several_labels(answer: dict[str, Any], wanted: list[float]) -> None:
    np.testing.assert_allclose(TAGS.read(answer), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({}, "no verdict in it; write an object of probabilities by label"),
        ({"text": "x", "stars": 3}, "no verdict in text, stars; write"),
        ({"neg": 0.5}, "no verdict in neg"),
        ({"label": "good"}, "the label is 'good'; there are: neg, pos, mixed"),
        ({"label": " "}, "no verdict"),
        ({"probabilities": {"good": 1}}, "the label is 'good'; there are"),
        ({"probabilities": {"pos": 1.5}}, "1.5 is no probability from 0 to 1"),
        ({"probabilities": {"pos": -0.5}}, "-0.5 is no probability"),
        ({"probabilities": {"pos": math.nan}}, "nan is no number"),
        ({"probabilities": {"pos": "high"}}, "'high' is no number"),
        ({"probabilities": {"pos": None}}, "'probabilities' names no label; there are"),
        ({"probabilities": {}}, "'probabilities' names no label"),
        ({"logprobs": []}, "'logprobs' names none of the labels; there are"),
        ({"probabilities": [0.5, 0.5]}, "'probabilities' has 2 numbers for 3 labels"),
        ({"probabilities": 0.5}, "'probabilities' is 0.5; write an object"),
        ({"probabilities": "surely"}, "'probabilities' is 'surely'"),
        ({"probabilities": [{"name": "pos"}]}, "an object without label or token"),
        ({"probabilities": [{"label": "pos"}]}, "an object without score or logprob"),
        ({"probabilities": {"pos": 0.9, "neg": 0.9}}, "add up to 1.8; a text has exactly one"),
        ({"probabilities": [0.1, 0.1, 0.1]}, "add up to 0.3"),
        ({"logprobs": {"The": -0.1}}, "'logprobs' names none of the labels"),
        ({"logprobs": {"pos": math.nan}}, "nan is no number"),
        ({"label": "pos", "score": 7}, "7 is no probability"),
    ],
)
def test_what_cannot_be_understood(answer: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadAnswer, match=fault.replace("(", r"\(")):
        READER.read(answer)


def test_several_labels_have_to_be_a_list() -> None:
    with pytest.raises(BadAnswer, match="'labels' is 'pos'; write a list"):
        TAGS.read({"labels": "pos"})


def test_labels_that_look_alike_are_told_apart_by_their_spelling() -> None:
    reader = AnswerReader(("Pos", "pos"), "single_label")
    assert reader.read({"label": "Pos"}).tolist() == [1, 0]
    with pytest.raises(BadAnswer, match="the label is 'POS'"):
        reader.read({"label": "POS"})
