"""Makes the place of a measurement: the store of a server, its core, and that of the load."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from models.registry import Store
from models.versions import Version

STORE = Path("models/store")


@dataclass(frozen=True)
class Place:
    """The store and the cores for a measurement.

    Args:
        version: The version that all of them serve.
        store: A store with that version alone.
        environments: Folder of the servers' environments.
        core: Processor of a server.
        load_core: Processor of the load.
    """

    version: Version
    store: Path
    environments: Path
    core: int
    load_core: int


@contextmanager
def make_place(model: str, environments: Path) -> Iterator[Place]:
    """Give a place for a model of the shipped store."""
    with place_of(Store(STORE).resolve(model), environments) as place:
        yield place


@contextmanager
def place_of(version: Version, environments: Path) -> Iterator[Place]:
    """Give a place for a version of any store."""
    core, load_core = find_cores()
    with store_of(version) as store:
        yield Place(version, store, environments.resolve(), core, load_core)


@contextmanager
def store_of(version: Version) -> Iterator[Path]:
    """Give a store that holds the version alone."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch)
        shutil.copytree(version.path, store / version.metadata.name / version.path.name)
        yield store


def find_cores() -> tuple[int, int]:
    """Return the core of the server and that of the load."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise typer.BadParameter("this takes two cores: one for the server, one for the load")
    return cores[0], cores[1]
