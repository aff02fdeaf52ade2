"""Measures the memory of a process."""

from pathlib import Path
from typing import Literal


def megabytes(pid: int, kind: Literal["Pss", "Rss"]) -> float:
    """Return the megabytes of a process, with its share of shared pages or all; 0 if it ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0
    found = (line for line in lines if line.startswith(f"{kind}:"))
    return next((int(line.split()[1]) / 1024 for line in found), 0.0)
