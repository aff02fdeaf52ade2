"""The command line: `python -m service`."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from models import ray_cluster
from models.command_line import BAD_INPUT, StoreOption, checked_by, one_line, print_error
from models.errors import GatewiseError
from models.registry import STORE, Store
from models.tables.opening import check_separator
from service.ending import end_process
from service.engines.cores import available_cores
from service.engines.loading import EngineKind
from service.environment import PREFIX, leave_out_shared_counts, peek
from service.logs import set_up_logs
from service.pulling import pull_versions
from service.settings import Settings
from service.web.access import commands as keys_commands


def _check_separator(given: str | None) -> str | None:
    try:
        return check_separator(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


_log = logging.getLogger(__name__)

BROKEN_PIPE = 128 + getattr(signal, "SIGPIPE", 13)  # status, as shells have it

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(keys_commands.app, name="keys")


def setting_option(name: str) -> Any:
    """Return the option of a setting; its help, default and limits stand in Settings."""
    field = Settings.model_fields[name]
    default = "" if field.default is None else f"; if absent {field.default}"
    help = f"{(field.description or '').removesuffix('.')}{default}."
    return typer.Option(help=help, readable=False)  # the store says in one line why it cannot be


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    host: Annotated[str | None, setting_option("host")] = None,
    port: Annotated[int | None, setting_option("port")] = None,
    store: Annotated[Path | None, setting_option("store")] = None,
    model: Annotated[str | None, setting_option("model")] = None,
    engine: Annotated[EngineKind | None, setting_option("engine")] = None,
    workers: Annotated[int | None, setting_option("workers")] = None,
    keys: Annotated[Path | None, setting_option("keys")] = None,
) -> None:
    """Serve the versions of a store over HTTP, unless a command is given.

    Each option, and more that docs/serving.md lists, can be set as GATEWISE_<NAME> too.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context.params, command=context.invoked_subcommand)
        return
    set_up_logs(format := peek("log"))  # before settings are read, which may warn
    say = _log.critical if format == "json" else print_error
    settings = read_settings(context.params, say=say)
    leave_out_shared_counts()
    with one_line(GatewiseError, say=say):
        if settings.pull:
            pull_versions(settings.pull, store=settings.store)
        Store(settings.store).check()
        from service.web.tracing import say_what_tracing_lacks

        say_what_tracing_lacks()
        if settings.workers > 1:
            from service.web.workers import run_workers

            run_workers(settings)
        else:
            from service.web.server import run_server

            run_server(settings)


def _refuse_options(given: dict[str, Any], *, command: str) -> None:
    """End the process if options of the service stand before a command, which knows none of them.

    Args:
        given: Options of the service by name; None are not given.
        command: The command.
    """
    name = next((name for name, value in given.items() if value is not None), None)
    if name is not None:
        print_error(
            f"--{name} stands before {command}, where it is an option of the service; "
            f"write the options of {command} behind it"
        )
        raise typer.Exit(BAD_INPUT)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the service."""
    from service.web.app import create_app

    document = create_app(Settings()).openapi()
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


@app.command()
def score(
    source: Annotated[
        Path, typer.Option("--in", help="File of texts, or folder of .txt files; - for stdin.")
    ],
    target: Annotated[Path, typer.Option("--out", help="File to write; - for standard output.")],
    model: Annotated[str, typer.Option(help="NAME, NAME:VERSION or NAME:LABEL.")],
    text_column: Annotated[
        str | None, typer.Option(help='Column of the text; if absent, "text" or the only column.')
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="csv, tsv, json, jsonl, parquet or txt; if absent, the names of the files decide."
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of the file; by its mark, or UTF-8, if absent.")
    ] = None,
    separator: Annotated[
        str | None,
        typer.Option(
            help="Character between the fields of a row, or tab; found if absent.",
            callback=_check_separator,
        ),
    ] = None,
    prefix: Annotated[str, typer.Option(help="Prefix of the added columns.")] = "predicted_",
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add the probability of each label too.")
    ] = False,
    store: StoreOption = STORE,
    engine: Annotated[EngineKind, typer.Option(help="Engine that computes.")] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads that compute; if absent, one for each core.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help=f"{ray_cluster.HELP} Then --in may be a folder or a glob too, --out is a folder "
            "of Parquet files, and --threads are those of each task, one if absent.",
            callback=checked_by(ray_cluster.check_address),
            metavar="ADDRESS",
        ),
    ] = None,
) -> None:
    """Add the model's answer to each row of a file. The same command resumes a stopped run."""
    leave_out_shared_counts()
    from service.scoring.request import ScoringRun
    from service.scoring.run import score_file

    run = ScoringRun(
        source=source,
        target=target,
        format=format,
        column=text_column,
        prefix=prefix,
        encoding=encoding,
        separator=separator,
        engine=engine,
        threads=threads or (1 if ray else available_cores()),
        probabilities=probabilities,
    )
    with one_line(GatewiseError, OSError), _quiet_pipe():
        Store(store).check()
        version = Store(store).resolve(model)
        version.verify()
        if ray is not None:
            from service.scoring.ray import score_on_ray

            answered = score_on_ray(run, version, address=ray)
        else:
            answered = score_file(run, version)
    if answered == 0:
        typer.echo("error: no row has a text that could be scored", err=True)
        raise typer.Exit(1)


@contextmanager
def _quiet_pipe() -> Iterator[None]:
    """End the process as a signal would if nobody reads its output any more, as behind `| head`."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(BROKEN_PIPE) from None


def read_settings(given: dict[str, Any], *, say: Callable[[str], object] = print_error) -> Settings:
    """Return the settings given, under them those of the environment; a bad one ends the process.

    Args:
        given: Settings by name; those that are None are left to the environment.
        say: Takes what is wrong with a bad one.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        say(describe_bad_setting(error))
        raise typer.Exit(BAD_INPUT) from None


def describe_bad_setting(error: ValidationError) -> str:
    """Return what is wrong with the first bad setting."""
    first = error.errors()[0]
    setting = f"{PREFIX}{first['loc'][0]}".upper()
    if first["type"] == "value_error":  # our own, which shows the value unless it is a secret
        return f"{setting}: {first['msg'].removeprefix('Value error, ')}"
    return f"{setting}: {first['msg']}, not {first['input']!r}"


def _hold_standard_files() -> None:
    """Open those of standard input and output that are closed.

    Else a connection would get their number, and what is printed below Python would be sent on it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def prepare_process() -> None:
    """Make this process fit to serve, before it starts to and takes signals itself."""
    _hold_standard_files()
    signal.signal(signal.SIGTERM, end_process)


if __name__ == "__main__":
    prepare_process()
    app()
