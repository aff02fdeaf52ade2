"""The command line: `python -m training …`."""

import signal
import sys
from types import FrameType
from typing import Any

import typer

from models.errors import GatewiseError
from models.installation import install_command
from training.commands.compare import compare
from training.commands.curve import curve
from training.commands.evaluate import evaluate
from training.commands.inspect import inspect
from training.commands.prune import prune
from training.commands.teach import teach
from training.commands.train import train
from training.commands.tune import tune
from training.errors import CannotWrite, GateRefused
from training.workspace.interrupt import Interrupted

COMMANDS = (train, teach, curve, tune, compare, inspect, evaluate, prune)
BAD_INPUT, NO_SPACE, REFUSED = 2, 1, 3

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Train text classifiers and manage their versions."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for command in COMMANDS:
    app.command()(command)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # so that unfinished work is cleaned up


def _handle_signals() -> None:
    hangup = getattr(signal, "SIGHUP", signal.SIGTERM)  # from a closed terminal; not on Windows
    for number in (signal.SIGTERM, hangup):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, _stop)


# Base class of all errors in a command line; typer exports only one of its subclasses.
_UsageError: type[Any] = typer.BadParameter.__mro__[1]


def run_app(program: typer.Typer | None = None) -> None:
    """Run a command line, by default this one.

    An error that the user can correct is one line and status 1 to 3.
    """
    _handle_signals()
    try:
        sys.exit((program or app)(standalone_mode=False))
    except Interrupted as interrupt:
        typer.echo("stopped; to resume, give the same command and --resume", err=True)
        sys.exit(128 + interrupt.number)
    except _UsageError as error:
        _fail(error.format_message())
    except ModuleNotFoundError as error:
        if _is_own(error.name):
            raise
        command = install_command("training")
        _fail(f"{error.name} is not installed; {command} installs all packages of training")
    except GateRefused as error:
        _fail(str(error), status=REFUSED)
    except CannotWrite as error:
        _fail(str(error), status=NO_SPACE)
    except (GatewiseError, OSError) as error:
        _fail(str(error))


def _is_own(module: str | None) -> bool:
    return (module or "training").partition(".")[0] in ("gatewise", "models", "service", "training")


def _fail(message: str, *, status: int = BAD_INPUT) -> None:
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    run_app()
