"""What commands share: options, those of settings made from `training/settings.py`, and steps."""

import inspect
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from functools import update_wrapper
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from typer.models import OptionInfo

from models import ray_cluster
from models.command_line import checked_by
from models.names import LONGEST_NAME
from models.quiet_start import quiet_start
from models.registry import Store
from models.versions import Version
from training.console import console
from training.defaults import CHOSEN
from training.reading import Reading
from training.settings import SETTINGS, Declared
from training.settings_file import Option, read_settings

DATA = ("dataset", "config", "revision", *(each.name for each in fields(Reading)))
WorkOption = Annotated[
    Path, typer.Option(help="Folder of checkpoints and logs.", envvar="GATEWISE_WORK")
]
RayOption = Annotated[
    str | None,
    typer.Option(
        help=f"{ray_cluster.HELP} It fits side by side, each fit on one core.",
        metavar="ADDRESS",
        callback=checked_by(ray_cluster.check_address),
    ),
]
WORK = Path("runs")

Asked = dict[str, Any]
"""Values of settings from a command line, by their names in the record."""


def setting(
    name: str, *, help: str = "", default: Any = MISSING, most: float | None = None
) -> inspect.Parameter:
    """Return the option of a setting, as a parameter of a command.

    Args:
        name: Name of the setting in the record.
        help: Text in place of the field's help.
        default: Value in place of the field's default.
        most: Largest value in place of the field's.
    """
    declared = SETTINGS[name]
    about, kind = declared.about, declared.kind
    sentence = help or about.help + (f" ({about.unit})" if about.unit else "")
    if default is MISSING:
        default = declared.field.default
        if name in CHOSEN:
            default, kind = None, kind | None
            sentence += f"; if absent: {CHOSEN[name]}"
    option = typer.Option(
        f"{declared.option}/--no-{declared.option[2:]}" if _is_flag(declared) else declared.option,
        help=f"{sentence}.",
        min=about.least,
        max=about.most if most is None else most,
        callback=checked_by(about.check) if about.check else None,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is MISSING else default,
        annotation=Annotated[kind, option],
    )


def takes(*settings: inspect.Parameter) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function that takes the values of these settings as first argument.

    Its other arguments are further options. Typer reads all options from the signature.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def command(*, settings_file: Path | None, **given: Any) -> None:
            asked = {each.name: given.pop(each.name) for each in settings}
            function(asked, **given)

        _, *own = inspect.signature(function).parameters.values()
        options = [*settings, *own]
        update_wrapper(command, function)
        command.__signature__ = inspect.Signature([*options, _settings_file(options)])
        return command

    return decorate


def _settings_file(options: Sequence[inspect.Parameter]) -> inspect.Parameter:
    """Return the option that names a file with values of these options."""
    known = dict(filter(None, map(_describe_option, options)))

    def read(context: typer.Context, path: Path | None) -> Path | None:
        if path is not None:  # the command line and the environment come before it
            context.default_map, unused = read_settings(path, options=known)
            if unused:
                names = ", ".join(unused)
                console.print(f"note: {path} has settings that are not for this command: {names}")
        return path

    option = typer.Option(
        "--config",
        help="TOML file of further options, such as the train.toml of a version.",
        callback=read,
        is_eager=True,
    )
    return inspect.Parameter(
        "settings_file",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[Path | None, option],
    )


def _describe_option(parameter: inspect.Parameter) -> tuple[str, Option] | None:
    """Return the name and the type of an option; None for what a file cannot give."""
    kind, about = get_args(parameter.annotation) or (parameter.annotation, None)
    if not isinstance(about, OptionInfo) or parameter.name == "resume":
        return None
    # In an annotation Typer keeps the first name where it else has the default.
    named = isinstance(about.default, str)
    name = about.default.partition("/")[0] if named else parameter.name.replace("_", "-")
    return name.removeprefix("--"), Option(parameter.name, kind)


def reading_of(asked: Asked) -> Reading:
    """Return how the dataset is to be read."""
    return Reading(**{each.name: asked[each.name] for each in fields(Reading)})


def with_name(asked: Asked) -> Asked:
    """Return values of settings with a name for the model, that of the dataset where none is given.

    Args:
        asked: The values, among them those of name and dataset.
    """
    return asked | {"name": asked["name"] or name_of(asked["dataset"])}


def name_of(dataset: str) -> str:
    """Return a model name for a dataset: the last part of its path or id."""
    last = re.sub(r"[^a-z0-9._-]", "-", Path(dataset).resolve().stem.lower())
    return last.strip("._-")[:LONGEST_NAME] or "data"


def start_tensorflow() -> None:
    """Import TensorFlow, which takes seconds, without its start-up notices."""
    with quiet_start():
        import tensorflow  # noqa: F401


def write_json(value: Any, *, path: Path) -> None:
    """Write a value as JSON to a file, or to standard output for `-`; OSError if that fails."""
    content = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    if path == Path("-"):
        typer.echo(content, nl=False)
    else:
        path.write_text(content, encoding="utf-8")


def find_version(store: Store, model: str) -> Version:
    """Return the version that NAME, NAME:VERSION or NAME:LABEL means, its files verified."""
    version = store.resolve(model)
    version.verify()
    return version


def _is_flag(declared: Declared) -> bool:
    return declared.kind in (bool, bool | None)
