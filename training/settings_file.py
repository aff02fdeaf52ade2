"""The settings of a training as a TOML file: written beside each version, read by `--config`."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from models.names import suggest
from models.versions import EXTRA
from training.defaults import is_default
from training.errors import TrainingError
from training.settings import SETTINGS, Declared, TrainSettings

SETTINGS_FILE = f"{EXTRA}/train.toml"
"""Where it is in the folder of a version."""
TRAINING = {
    declared.option.removeprefix("--") for declared in SETTINGS.values() if declared.about.is_option
}
"""The settings that such a file may hold."""
MAY_HOLD_SECRETS = ("teacher_command",)


@dataclass(frozen=True)
class Option:
    """An option of a command, as a file may give it.

    Args:
        parameter: Name of the command's parameter.
        kind: Type of the value.
    """

    parameter: str
    kind: Any


def write_settings(settings: TrainSettings, path: Path) -> None:
    """Write all settings that have an option; as comments those that would be chosen without it."""
    import tomlkit  # which the other commands do without

    document = tomlkit.document()
    document.add(tomlkit.comment("To train in the same way: train --config FILE"))
    document.add(tomlkit.comment("Settings behind a # are at their defaults."))
    document.add(tomlkit.nl())
    for name, declared in SETTINGS.items():
        key, value = declared.option.removeprefix("--"), declared.value(settings)
        if not declared.about.is_option or not _is_used(declared, settings) or value is None:
            continue
        if name in MAY_HOLD_SECRETS:
            document.add(tomlkit.comment(f"{key} is not kept, because it may hold a secret"))
        elif is_default(name, settings):
            document.add(tomlkit.comment(f"{key} = {tomlkit.item(value).as_string()}"))
        else:
            document.add(key, value)
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def read_settings(path: Path, *, options: Mapping[str, Option]) -> tuple[dict[str, Any], list[str]]:
    """Return the values in such a file by the parameters of a command, and the unused settings.

    A setting of a training that the command has no option for is not used.

    Args:
        path: The file.
        options: The command's options, by name without dashes.

    Raises:
        TrainingError: It is no such file, or has another setting or a value of another type.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"--config: {path}: {error.strerror}") from error
    except ValueError as error:  # also of an encoding
        raise TrainingError(f"--config: {path} is no TOML: {error}") from error
    values, unused = {}, []
    for key, value in found.items():
        option = options.get(key)
        if option is None and key in TRAINING:
            unused.append(key)
            continue
        if option is None:
            hint = suggest(key, among=options)
            raise TrainingError(f"--config: {path}: no setting {key!r}{hint}")
        try:
            TypeAdapter(option.kind).validate_json(json.dumps(value, default=str), strict=True)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise TrainingError(f"--config: {path}: {key} = {value!r}: {reason}") from error
        values[option.parameter] = value
    return values, unused


def _is_used(declared: Declared, settings: TrainSettings) -> bool:
    """Whether a setting takes part in the training with a value that its option admits."""
    needed, value = declared.part.needs, declared.value(settings)
    least = declared.about.least
    return (not needed or bool(getattr(settings, needed))) and not (
        least is not None and isinstance(value, int | float) and value < least
    )
