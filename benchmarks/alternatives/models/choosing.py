"""Chooses among fitted models by validation rows."""

import sys
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Choice(NamedTuple, Generic[T]):
    """The best model, its settings, and the accuracies of all."""

    settings: str
    model: T
    accuracies: dict[str, float]


def choose(fitted: Iterable[tuple[str, T]], *, measure: Callable[[T], float]) -> Choice[T]:
    """Return the model with the best figure on validation rows, the first of equals.

    Args:
        fitted: Settings and models. One at a time is made, and only the best is kept.
        measure: Returns the figure of a model.
    """
    accuracies: dict[str, float] = {}
    best: tuple[str, T] | None = None
    for settings, model in fitted:
        accuracies[settings] = measure(model)
        tell(f"{settings}: {accuracies[settings]:.4f} on validation rows")
        if best is None or accuracies[settings] > accuracies[best[0]]:
            best = settings, model
    if best is None:
        raise ValueError("there is no model to choose")
    return Choice(*best, accuracies)


def tell(line: str) -> None:
    """Show a line of progress."""
    sys.stderr.write(f"  {line}\n")
