"""What all command lines share."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from models.printable import escape_controls

BAD_INPUT = 2
StoreOption = Annotated[
    Path,
    typer.Option(
        "--store",
        envvar="GATEWISE_STORE",
        help="Folder of the versions.",
        readable=False,  # the store says in one line why it cannot be
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
Reference = Annotated[str, typer.Argument(help="NAME, NAME:VERSION or NAME:LABEL.")]


def tell(found: Any, *, as_json: bool, otherwise: Callable[[], None]) -> None:
    """Print a result as JSON, or as `otherwise` does."""
    if as_json:
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        otherwise()


def checked_by(check: Callable[[Any], object]) -> Callable[[Any], Any]:
    """Return a callback of Typer that rejects a value if `check` raises ValueError."""

    def callback(value: Any) -> Any:
        try:
            if value is not None:
                check(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        return value

    return callback


def print_error(message: str) -> None:
    """Print what was wrong to standard error."""
    typer.echo(f"error: {escape_controls(message)}", err=True)


@contextmanager
def one_line(
    *faults: type[Exception], say: Callable[[str], object] = print_error
) -> Iterator[None]:
    """End the process with one line for faults that the user can correct.

    Args:
        faults: Types of the faults.
        say: Takes the line.
    """
    try:
        yield
    except faults as error:
        say(str(error))
        raise typer.Exit(BAD_INPUT) from None
