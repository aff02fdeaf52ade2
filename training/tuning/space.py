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

from training.settings import TrainSettings

Values = dict[str, Any]
"""Value of each setting of the search, by name."""

SPACE: dict[str, BaseDistribution] = {
    "units": IntDistribution(32, 256, step=32),
    "layers": IntDistribution(1, 2),
    "embedding": IntDistribution(32, 256, step=32),
    "dropout": FloatDistribution(0.0, 0.7, step=0.05),
    "word_dropout": FloatDistribution(0.0, 0.5, step=0.05),
    "learning_rate": FloatDistribution(5e-4, 8e-3, log=True),
    "batch": CategoricalDistribution((16, 32, 64, 128)),
}
OF_THE_FIT = ("learning_rate", "batch")


def defaults(settings: TrainSettings) -> Values:
    """Return the values of `settings`."""
    record = settings.record()
    return {name: record[name] for name in SPACE}


def shorten(values: Mapping[str, Any]) -> Values:
    """Return the values rounded for a command line."""
    return {
        name: float(f"{value:.3g}") if isinstance(value, float) else value
        for name, value in values.items()
    }


def apply(settings: TrainSettings, values: Mapping[str, Any]) -> TrainSettings:
    """Return the settings with these values."""
    fit = {name: values[name] for name in OF_THE_FIT}
    network = {name: value for name, value in values.items() if name not in OF_THE_FIT}
    return replace(
        settings, network=replace(settings.network, **network), fit=replace(settings.fit, **fit)
    )


def options(values: Mapping[str, Any]) -> list[str]:
    """Return the options of `train` that set these values."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]
