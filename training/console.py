"""The terminal, where people watch a training."""

from rich.console import Console

# What is printed is plain text: a path or a label may look like markup.
console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
