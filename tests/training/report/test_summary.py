"""A summary holds what JSON can hold, and its headline says what matters."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.training.report.known_results import multi_split, results, single_split
from training.report.summary import headline, summarize


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("split", [single_split(classes=3), multi_split(classes=3)])
def test_it_survives_json(split) -> None:
    summary = summarize(results(split, epochs=[{"loss": float("nan"), "val_loss": 1.0}]))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["epochs"] == [{"loss": None, "val_loss": 1.0}]


def test_test_rows_come_first() -> None:
    splits = [single_split(name=name) for name in ("extra", "validation", "test")]
    order = [split["name"] for split in summarize(results(*splits))["splits"]]
    assert order == ["test", "validation", "extra"]


def test_headline() -> None:
    told = plain(headline(summarize(results(single_split(rows=1_000, strength=3.5, baseline=1.0)))))
    split = single_split(rows=1_000, strength=3.5)
    share = np.mean(split.probabilities.argmax(axis=1) == split.labels)
    assert told.startswith(f"{100 * share:.1f} % of 1,000 test rows right (95 % ")
    assert "macro-F1 0.9" in told
    assert "The network is better than the linear baseline by" in told


def test_headline_of_many_labels() -> None:
    told = plain(headline(summarize(results(multi_split(baseline=None)))))
    assert told.startswith("On 300 test rows macro-F1 0.")
    assert "and micro-F1 0." in told
    assert told.endswith("% of the rows right in all labels.")


def test_validation_alone_is_told() -> None:
    told = headline(summarize(results(single_split(name="validation", baseline=None))))
    assert "There are no test rows; these chose the epoch and the calibration too." in told


def test_leaked_rows_are_left_out_beside_all() -> None:
    split = single_split(rows=400)
    right = split.probabilities.argmax(axis=1) == split.labels
    leaked = right & (np.arange(400) < 200)
    summary = summarize(results(replace(split, leaked=leaked)))
    leaks = summary["splits"][0]["leaks"]
    assert leaks["rows"] == leaked.sum()
    assert leaks["without"]["accuracy"]["value"] == pytest.approx(right[~leaked].mean(), rel=1e-5)
    told = plain(headline(summary))
    assert (
        f"{leaked.sum()} of the rows stand among the training rows too: without, accuracy" in told
    )


def test_leaks_of_none_one_and_all() -> None:
    split = single_split(rows=50, baseline=None)
    none, one, every = (np.zeros(50, bool), np.arange(50) == 3, np.ones(50, bool))
    found = [summarize(results(replace(split, leaked=leaked))) for leaked in (none, one, every)]
    assert found[0]["splits"][0]["leaks"] is None
    assert "One of the rows stands among" in headline(found[1])
    assert "50 of the rows stand among the training rows too, and none is left" in headline(
        found[2]
    )
    assert found[2]["splits"][0]["leaks"]["without"] is None


def test_calibration_before_and_after() -> None:
    split = single_split(rows=2_000)
    found = summarize(results(split))["splits"][0]
    top, right = split.probabilities.max(axis=1), split.probabilities.argmax(axis=1) == split.labels
    assert sum(bin["rows"] for bin in found["calibration"]["bins"]) == 2_000
    assert sum(bin["right"] for bin in found["calibration"]["bins"]) == right.sum()
    assert found["calibration"]["expected_error"] >= abs(top.mean() - right.mean()) - 1e-6
    assert found["uncalibrated"]["expected_error"] != found["calibration"]["expected_error"]
    assert (
        summarize(results(replace(split, uncalibrated=None)))["splits"][0]["uncalibrated"] is None
    )


def test_calibration_is_that_of_the_label_that_is_given() -> None:
    split = single_split(rows=2_000)
    rare = results(split, thresholds=(1.0, 0.25))
    decided = rare.rule.choose(split.probabilities)
    assert (decided != split.probabilities.argmax(axis=1)).any()
    found = summarize(rare)["splits"][0]
    bins = found["calibration"]["bins"]
    assert sum(bin["right"] for bin in bins) == (decided == split.labels).sum()
    assert bins[3]["rows"] > 0  # given at less than 0.5
    assert found["mistakes"]


def test_many_labels_are_calibrated_by_decision() -> None:
    split = multi_split(rows=200, classes=5)
    bins = summarize(results(split))["splits"][0]["calibration"]["bins"]
    assert sum(bin["rows"] for bin in bins) == 1_000
    assert sum(bin["right"] for bin in bins) == split.labels.sum()


@pytest.mark.medium
def test_a_matrix_that_nobody_could_read_is_left_out() -> None:
    many = summarize(results(single_split(classes=31)))["splits"][0]
    assert many["confusion"] is None
    assert len(many["confusions"]) == 20
    few = summarize(results(single_split(classes=30)))["splits"][0]
    assert np.sum(few["confusion"]) == 300


def test_one_row() -> None:
    summary = summarize(results(single_split(rows=1)))
    assert summary["splits"][0]["rows"] == 1
    assert headline(summary)


def test_many_labels_of_which_none_is_ever_there() -> None:
    split = multi_split(rows=20, classes=2)
    empty = replace(
        split, labels=np.zeros_like(split.labels), probabilities=0 * split.probabilities
    )
    summary = summarize(results(replace(empty, baseline=empty.probabilities)))
    assert summary["splits"][0]["figures"]["macro_f1"]["value"] is None
    assert summary["splits"][0]["baseline"]["better"] is None
    assert "macro-F1 –" in headline(summary)
