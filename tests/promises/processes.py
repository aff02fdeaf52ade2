"""Looks at processes by way of /proc, and makes one the first of its own, as in a container."""

import os
import subprocess
from pathlib import Path

FIRST = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
"""Starts the command behind it so that it has the number 1."""


def first_can_be_made() -> bool:
    """Whether FIRST works here."""
    return subprocess.run([*FIRST, "true"], capture_output=True, check=False).returncode == 0


def children_of(pid: int) -> list[int]:
    """Return the processes that one has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def members_of(session: int) -> list[int]:
    """Return the processes of a session that have not ended, whoever their parents are by now."""
    pids = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
    return [pid for pid in pids if alive(pid) and _session(pid) == session]


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent does not."""
    return _fields(pid)[:1] not in ([], ["Z"])


def parent_of(pid: int) -> int:
    """Return the process that has started another."""
    return int(_fields(pid)[1])


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


def _fields(pid: int) -> list[str]:
    """Return what stands behind the name of a process in its status, the state first."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
