"""What is searched can be given to a training, and so can the defaults."""

from dataclasses import replace
from typing import Any

import pytest

from tests.training.tuning.trials import VALUES
from training.settings import NetworkSettings, TrainSettings
from training.tuning.space import SPACE, apply, defaults, options, shorten

SETTINGS = TrainSettings(name="x", dataset="y", network=NetworkSettings(cell="lstm"), seed=5)


def start_of(settings: TrainSettings, *, rows: int = 5_000) -> dict[str, Any]:
    return defaults(settings, rows=rows, task="multi_label")


@pytest.mark.parametrize("rows", [100, 700, 5_000])
def test_the_defaults_are_in_the_space(rows: int) -> None:
    start = start_of(SETTINGS, rows=rows)
    assert start.keys() == SPACE.keys() == VALUES.keys()
    for name, distribution in SPACE.items():
        assert distribution._contains(distribution.to_internal_repr(start[name])), name


def test_the_defaults_change_nothing() -> None:
    chosen = replace(SETTINGS, fit=replace(SETTINGS.fit, batch=32))
    assert apply(SETTINGS, start_of(SETTINGS)) == chosen


def test_values_are_applied_and_the_rest_stays() -> None:
    changed = apply(SETTINGS, VALUES)
    assert start_of(changed) == VALUES
    assert (changed.network.cell, changed.seed) == ("lstm", 5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0012345678, 0.00123), (0.30000000000000004, 0.3), (0.0, 0.0), (128, 128)],
)
def test_values_are_what_a_command_line_says(value: Any, expected: Any) -> None:
    (short,) = shorten({"x": value}).values()
    assert (short, type(short)) == (expected, type(expected))
    assert type(value)(str(short)) == short


def test_options_are_those_of_train() -> None:
    from typer.main import get_command

    from training.__main__ import app

    known = {option.opts[0] for option in get_command(app).commands["train"].params}
    given = options(VALUES)
    assert {option.partition("=")[0] for option in given} <= known
    assert given[-2:] == ["--learning-rate=0.00123", "--batch=16"]
