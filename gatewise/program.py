"""The commands of all packages as one program."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

import models.__main__ as store_commands
from gatewise.doctor.command import doctor
from gatewise.places import choose_places, fill_store
from models import __version__
from models.command_line import one_line
from service.__main__ import openapi, prepare_process, score, serve
from service.ray.__main__ import serve as serve_ray
from service.web.access import commands as key_commands
from training.__main__ import COMMANDS as TRAINING
from training.__main__ import run_app

app = typer.Typer(name="gatewise", rich_markup_mode=None, pretty_exceptions_enable=False)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    _: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Train text classifiers with gated recurrent networks, and serve them.

    Versions are kept in models/store where that folder is, else in a folder of the user, which
    `gatewise doctor` shows. GATEWISE_STORE names another.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _with_store(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that finds the store of the user filled, if that is the one it takes."""
    if "store" not in inspect.signature(command).parameters:
        return command

    @functools.wraps(command)
    def fill(*args: Any, **options: Any) -> Any:
        with one_line(OSError):
            made = fill_store(options["store"])
        if made is not None:
            typer.echo(f"note: {made} is your store from now on; imdb-gru is in it", err=True)
        return command(*args, **options)

    return fill


def _prepared(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command of the service that takes signals as `python -m service` does."""

    @functools.wraps(command)
    def prepare(*args: Any, **options: Any) -> None:
        prepare_process()
        command(*args, **options)

    return prepare


_COMMANDS: tuple[Callable[..., None], ...] = (
    _prepared(serve),
    _prepared(score),
    *TRAINING,
    openapi,
    doctor,
)

for command in _COMMANDS:
    app.command()(_with_store(command))
app.command("serve-ray")(_with_store(serve_ray))
for registered in store_commands.app.registered_commands:  # which are a program of their own too
    assert registered.callback is not None
    registered.callback = _with_store(registered.callback)
app.add_typer(store_commands.app, name="models")
app.add_typer(key_commands.app, name="keys")


def run_program() -> None:
    """Run the command that the arguments of this process name."""
    choose_places()
    run_app(app)
