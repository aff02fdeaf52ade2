"""How many cores this process may use, also in a container whose share of them is limited."""

import math
import os
from pathlib import Path

from service.engines.control_groups import find_groups


def available_cores() -> int:
    """Return the cores that this process may use; all cores if the system does not know.

    Docker's `--cpus` and the CPU limits of Kubernetes hide no core. They stop all threads of a
    process once it has used its share of each tenth of a second.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    share = find_share()
    return cores if share is None else max(1, min(cores, math.ceil(share)))


def find_share(root: Path = Path("/")) -> float | None:
    """Return how many cores' worth of time the control groups leave; None without a limit.

    Args:
        root: Where /proc and /sys are.
    """
    shares = [_read_share(folder) for folder in find_groups(root, controller="cpu")]
    return min((share for share in shares if share is not None), default=None)


def _read_share(group: Path) -> float | None:
    """Return the limit of one control group, of version 2 or 1."""
    try:
        if (limit := group / "cpu.max").exists():
            time, period = limit.read_text().split()
        else:
            time = (group / "cpu.cfs_quota_us").read_text()
            period = (group / "cpu.cfs_period_us").read_text()
        share = int(time) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # there is none, or it is "max"
        return None
    return share if share > 0 else None  # -1 is none
