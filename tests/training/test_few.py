"""What is few in the data is said before it is used."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from training.prepare import _notice_few


def notice(train: list[int], validation: list[int], *, classes: int = 3) -> list[str]:
    splits = [SimpleNamespace(labels=np.array(labels, np.int32)) for labels in (train, validation)]
    data: Any = SimpleNamespace(train=splits[0], validation=splits[1], labels=("x",) * classes)
    return _notice_few(data)


def test_enough_rows_of_every_class() -> None:
    assert notice([0, 1, 2] * 50, [0, 1, 2] * 20) == []
    assert notice([0, 1] * 50, [0, 1] * 30) == []  # a class that train has not is said elsewhere


@pytest.mark.parametrize(
    ("validation", "told"),
    [
        ([1], "validation has 1 row, of 1 of the 3 classes of train: "),
        ([0, 1], "validation has 2 rows, of 2 of the 3 classes of train: "),
        ([0, 1, 2], "validation has 3 rows: "),
        ([0, 1] * 600, "validation has 1,200 rows, of 2 of the 3 classes of train: "),
    ],
)
def test_few_rows_or_classes(validation: list[int], told: str) -> None:
    assert notice([0, 1, 2] * 5, validation) == [
        told + "calibration and figures rest on that alone"
    ]


def test_several_labels() -> None:
    splits = [SimpleNamespace(labels=np.array([[1, 0], [1, 1]], np.int32)), SimpleNamespace()]
    splits[1].labels = np.array([[1, 0]] * 60, np.int32)
    data: Any = SimpleNamespace(train=splits[0], validation=splits[1], labels=("a", "b"))
    assert _notice_few(data)[0].startswith("validation has 60 rows, of 1 of the 2 classes")
