"""What the command lines of the store and of the service share."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

BAD_INPUT = 2


@contextmanager
def one_line(*faults: type[Exception]) -> Iterator[None]:
    """End the process with one line for faults that the user can correct."""
    try:
        yield
    except faults as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
