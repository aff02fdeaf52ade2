"""Where versions and checkpoints are kept when nobody says where."""

import os
import shutil
import tempfile
from pathlib import Path

import platformdirs

STORE, WORK = "GATEWISE_STORE", "GATEWISE_WORK"
_LOCAL = Path("models/store")
_SHIPPED = Path(__file__).parent / "shipped"


def choose_places() -> None:
    """Set the folders of versions and of checkpoints, where the environment does not say them.

    A folder `models/store` in the working directory counts, as in a clone. Elsewhere the user has a
    store. Commands read the variables, and so do the processes that they start.
    """
    if STORE in os.environ or _LOCAL.is_dir():
        return
    store = user_store()
    os.environ[STORE] = str(store)
    os.environ.setdefault(WORK, str(store.parent / "runs"))


def user_store() -> Path:
    """Return the folder of the versions of this user."""
    return platformdirs.user_data_path("gatewise", appauthor=False) / "store"


def awaits_filling(asked: Path | None = None) -> bool:
    """Whether a command would take the store of the user, which is not there yet.

    Args:
        asked: The store that the command was told to take; the one of the environment if absent.
    """
    store = user_store()
    taken = os.environ.get(STORE) if asked is None else str(asked)
    chosen = os.environ.get(STORE) == str(store)
    return chosen and taken == str(store) and not store.exists() and _SHIPPED.is_dir()


def fill_store(asked: Path | None = None) -> Path | None:
    """Copy the shipped models into the store of the user, if a command waits for that.

    Args:
        asked: As in `awaits_filling`.

    Returns:
        The store, if it was made.
    """
    store = user_store()
    if not awaits_filling(asked):
        return None
    store.parent.mkdir(parents=True, exist_ok=True)
    # Two programs may start at once, and either may be killed: the store is there whole or not.
    with tempfile.TemporaryDirectory(prefix=".store-", dir=store.parent) as scratch:
        copy = Path(scratch) / "store"
        shutil.copytree(_SHIPPED, copy)
        try:
            copy.rename(store)
        except OSError:  # the other was faster
            if not store.is_dir():
                raise
            return None
    return store
