"""The file or folder that a run makes: one run at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.locks import lock
from service.scoring.request import ScoreError


def parts_of(target: Path) -> Path:
    """Return the folder beside a target where its parts are until they are all there."""
    return target.with_name(f"{target.name}.parts")


@contextmanager
def held(target: Path) -> Iterator[None]:
    """Keep others from writing the same target while entered.

    Raises:
        ScoreError: Another process does.
    """
    busy = ScoreError(f"another process is scoring to {target}")
    parts = parts_of(target)
    with lock(parts.with_name(f".{parts.name}.lock"), busy=busy):
        yield
