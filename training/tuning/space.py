"""The search space: the settings that trials vary, and their ranges."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from models.metadata import Task
from training.defaults import choose_batch
from training.settings import SETTINGS, TrainSettings

Values = dict[str, Any]
"""Value of each setting of the search, by name."""

SPACE: dict[str, BaseDistribution] = {
    "units": IntDistribution(32, 256, step=32),
    "layers": IntDistribution(1, 2),
    "embedding": IntDistribution(32, 256, step=32),
    "dropout": FloatDistribution(0.0, 0.7, step=0.05),
    "word_dropout": FloatDistribution(0.0, 0.5, step=0.05),
    "learning_rate": FloatDistribution(5e-4, 8e-3, log=True),
    "batch": CategoricalDistribution((8, 16, 32, 64, 128)),
}


def defaults(settings: TrainSettings, *, rows: int, task: Task) -> Values:
    """Return the values of `settings` for a number of rows."""
    record = settings.record()
    record["batch"] = settings.fit.batch or choose_batch(rows, task=task)
    return {name: record[name] for name in SPACE}


def shorten(values: Mapping[str, Any]) -> Values:
    """Return the values rounded for a command line."""
    return {
        name: float(f"{value:.3g}") if isinstance(value, float) else value
        for name, value in values.items()
    }


def apply(settings: TrainSettings, values: Mapping[str, Any]) -> TrainSettings:
    """Return the settings with these values."""
    parts: dict[str, Values] = {}
    for name, value in values.items():
        declared = SETTINGS[name]
        parts.setdefault(declared.holder, {})[declared.field.name] = value
    changed = {part: replace(getattr(settings, part), **each) for part, each in parts.items()}
    return replace(settings, **changed)


def options(values: Mapping[str, Any]) -> list[str]:
    """Return the options of `train` that set these values."""
    return [_option(SETTINGS[name].option, value) for name, value in values.items()]


def _option(option: str, value: Any) -> str:
    if isinstance(value, bool):
        return option if value else f"--no-{option.removeprefix('--')}"
    return f"{option}={value}"
