"""Results that do not fit together are refused, and told where."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.report.known_results import multi_split, results, single_split

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "../test"}, r"split '../test': a name is made of"),
        ({"probabilities": np.zeros((0, 2))}, r"'test': probabilities must have shape \(rows"),
        ({"labels": np.zeros(9)}, r"'test': labels must have shape \(300,\) or .*, not \(9,\)"),
        ({"baseline": np.zeros((300, 3))}, r"baseline must have shape \(300, 2\), not \(300, 3\)"),
        ({"uncalibrated": np.full((300, 2), np.nan)}, "uncalibrated must lie between 0 and 1"),
        ({"probabilities": np.full((300, 2), 1.5)}, "probabilities must lie between 0 and 1"),
        ({"lengths": np.zeros((300, 1))}, r"lengths must have shape \(300,\), not \(300, 1\)"),
        ({"leaked": np.zeros(2)}, r"leaked must have shape \(300,\), not \(2,\)"),
    ],
)
def test_a_split_that_does_not_fit(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(single_split(), **changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"splits": {}}, "one split at least"),
        ({"labels": ["a", "b", "c"]}, "'test': 2 columns, but 3 labels"),
        ({"task": "multi_label", "thresholds": (0.5, 0.5)}, "are not multi_label"),
        ({"thresholds": (0.5, 0.5, 0.5)}, "thresholds: 2 expected"),
        ({"splits": {"test": replace(single_split(), labels=np.full(300, 2))}}, "be 0 to 1"),
    ],
)
def test_results_that_do_not_fit(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        results(single_split(), **changes)


def test_multi_label_needs_thresholds() -> None:
    split = multi_split(classes=3)
    with pytest.raises(ValueError, match=r"^thresholds: 3 expected, not None$"):
        results(split, thresholds=None)
    with pytest.raises(ValueError, match=r"^split 'test': baseline_thresholds: 3 expected"):
        results(replace(split, baseline_thresholds=(0.5,)))


@pytest.mark.medium
def test_describing_results_needs_no_plots() -> None:
    code = (
        "import sys, training.report.results\n"
        "heavy = {'matplotlib', 'scipy', 'sklearn', 'jinja2', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)
