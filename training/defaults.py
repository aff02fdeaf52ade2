"""Chooses the shape of a network: what was asked for, what is usual, or what a version has."""

from collections.abc import Mapping
from typing import Any

from models.versions import Version
from training.errors import TrainingError
from training.settings import NetworkSettings

USUAL = {
    "cell": "gru",
    "layers": NetworkSettings.layers,
    "units": NetworkSettings.units,
    "embedding": NetworkSettings.embedding,
}
WIDER = {"units": 256}  # with texts that have no labels: more texts have more to say


def choose_shape(
    asked: Mapping[str, Any], *, start: Version | None, pretrains: bool
) -> dict[str, Any]:
    """Return cell, layers, units and embedding.

    Args:
        asked: The same, None where nothing was said.
        start: The version whose network is gone on with, if there is one.
        pretrains: Whether a language is learned from texts without labels.

    Raises:
        TrainingError: What was asked for is not what the version has.
    """
    said = {name: value for name, value in asked.items() if value is not None}
    if start is None:
        return USUAL | (WIDER if pretrains else {}) | said
    if pretrains:
        raise TrainingError("--from and --unlabeled both say where to start; give one of them")
    shape = {name: getattr(start.metadata.architecture, name) for name in USUAL}
    for name, value in said.items():
        if value != shape[name]:
            raise TrainingError(
                f"--{name} {value}: the network of {start.reference} has {shape[name]}; "
                f"leave --{name} out, or --from"
            )
    return shape
