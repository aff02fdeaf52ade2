"""The figures of a version say which validation rows they are of."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.training.labelled_files import make_rows
from tests.training.test_run import make_run
from tests.versions import make_metadata

pytestmark = pytest.mark.tensorflow  # the module imports it


def measure(tmp_path: Path, *, leaked: int, parts: int) -> dict[str, tuple[float, float]]:
    """Return rows left out and accuracy of further figures; rows known from train are right.

    Args:
        tmp_path: Where the data is written.
        leaked: Validation rows that also stand in train, the first ones.
        parts: Those behind them that are parts of other rows.
    """
    from training.evaluation.trained import measure_trained

    run = make_run(tmp_path, rows=make_rows(1_480))
    data = run.prepared.data
    rows = np.arange(len(data.validation))
    split = replace(data.validation, whole=(rows < leaked) | (rows >= leaked + parts))
    prepared = replace(
        run.prepared,
        data=replace(data, validation=split),
        leaks={"validation": rows < leaked},
    )
    right = (rows < leaked + parts) == (split.labels == 1)
    found = np.stack([~right, right], axis=1).astype(np.float32)
    verified: Any = SimpleNamespace(splits={"validation": found})
    baseline: Any = SimpleNamespace(metrics={})
    run = replace(run, prepared=prepared)
    metrics = measure_trained(run, verified, baseline, metadata=make_metadata()).metrics
    assert metrics.pop("validation")["rows"] == len(rows)
    return {name: (len(rows) - each["rows"], each["accuracy"]) for name, each in metrics.items()}


def test_rows_without_parts(tmp_path: Path) -> None:
    assert measure(tmp_path, leaked=0, parts=0) == {}


def test_rows_of_which_some_stand_in_train(tmp_path: Path) -> None:
    assert measure(tmp_path, leaked=20, parts=0) == {"validation_without_leaks": (20, 0)}


def test_rows_of_which_some_are_parts(tmp_path: Path) -> None:
    found = measure(tmp_path, leaked=20, parts=10)
    assert found["validation_that_decides"] == (30, 0)
    assert found["validation_without_leaks"][0] == 20


def test_too_few_to_decide_without_the_parts(tmp_path: Path) -> None:
    assert measure(tmp_path, leaked=0, parts=60) == {}
    found = measure(tmp_path, leaked=20, parts=40)
    assert found["validation_without_leaks"][0] == 20
    assert found["validation_that_decides"][0] == 0
