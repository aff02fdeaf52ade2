"""What the command lines of the store and of the service share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

BAD_INPUT = 2


def print_error(message: str) -> None:
    """Print what was wrong to standard error."""
    typer.echo(f"error: {message}", err=True)


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
