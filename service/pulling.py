"""Pulls versions into the store before the service starts, so that there is something to serve."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from models.errors import GatewiseError
from models.installation import CLONE
from models.registry import Store
from service.ending import end_process

_PATH = "PYTHONPATH"
_log = logging.getLogger(__name__)


class NothingToServe(GatewiseError):
    """A version could not be pulled, and the store has none."""


def pull_versions(addresses: Sequence[str], *, store: Path) -> None:
    """Pull a version from each address. One that cannot be had is logged, and left out.

    Args:
        addresses: The addresses.
        store: Folder of the versions.

    Raises:
        NothingToServe: One cannot be had, and the store has no version at all.
    """
    faults = [fault for address in addresses if (fault := _pull(address, store=store))]
    if faults and not Store(store).names():
        raise NothingToServe(f"{faults[0]}; and there is no model in {store.absolute()} to serve")
    for fault in faults:
        _log.warning("%s; serving what is in the store", fault)


def _pull(address: str, *, store: Path) -> str | None:
    """Pull a version; return what was wrong, in one line, or None.

    A process of its own does it, so what it imports does not stay in the service.
    """
    _log.info("pulling %s", address)
    # Ours, whatever `models` may lie in the working directory.
    ours = {_PATH: os.pathsep.join([str(CLONE), *filter(None, [os.environ.get(_PATH)])])}
    program = [sys.executable, "-P", "-m", "models"]
    done = _run([*program, "pull", address, "--store", str(store), "--json"], os.environ | ours)
    if done.returncode == 0:
        found = json.loads(done.stdout)
        came = "pulled" if found["pulled"] else "already there:"
        _log.info("%s %s:%s from %s", came, found["model"], found["version"], found["source"])
        return None
    line = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return f"cannot pull {address}: {line.removeprefix('error: ')}"


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a process to its end. A SIGTERM meanwhile ends both."""
    child: subprocess.Popen[str] | None = None
    is_told = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_told
        is_told = True
        if child is not None:
            child.kill()

    before = signal.signal(signal.SIGTERM, end)
    try:
        with subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as child:
            if is_told:  # while the child was started
                child.kill()
            output, faults = child.communicate()
    finally:
        signal.signal(signal.SIGTERM, before)
    if is_told:
        end_process(signal.SIGTERM)
    return subprocess.CompletedProcess(command, child.returncode, output, faults)
