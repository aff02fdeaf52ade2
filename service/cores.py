"""How many processor cores this process may use."""

import os


def available_cores() -> int:
    """Return the cores that affinity leaves to this process, all where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
