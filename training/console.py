"""The terminal, where people watch a training."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

# What is printed is plain text: a path or a label may look like markup.
console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


@contextmanager
def hushed() -> Iterator[None]:
    """Print nothing while entered."""
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before
