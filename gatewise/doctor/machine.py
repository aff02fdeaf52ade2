"""Looks at the machine: processor, memory, files, folders."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gatewise.doctor.findings import Finding
from service.engines.control_groups import find_groups
from service.engines.cores import available_cores, find_share
from service.engines.native import library
from service.engines.native.compilation import CannotCompile, find_compiler
from service.engines.protocol import EngineUnavailable
from service.settings import Settings

if sys.platform != "win32":
    import resource

WORKER_BYTES = 120 * 1024**2
"""What a worker with a shipped model takes."""
SPARE_BYTES = 100 * 1024**2  # of a disk
_COMPILE = "python -m service.engines.native compiles it"


def check_machine(settings: Settings) -> Iterator[Finding]:
    """Yield what the machine offers a service with these settings."""
    yield _check_processor()
    yield _check_native()
    yield _check_cores(settings)
    if (memory := find_memory()) is not None:
        yield _check_memory(memory, settings)
    if sys.platform != "win32":
        yield _check_files(settings)
    yield _check_scratch()


def _check_processor() -> Finding:
    names = [name for name in library.supported() if name != "portable"]
    return Finding("processor", "ok", ", ".join([platform.machine(), *names]))


def _check_native() -> Finding:
    """Say which library of the native engine is taken, and what is missing for one."""
    try:
        path = library.find_library().path
    except EngineUnavailable as error:
        try:
            mend = f"{' '.join(find_compiler())} is here: {_COMPILE}"
        except CannotCompile as lack:
            mend = f"{lack}; install one (Debian: apt install gcc libc6-dev), then {_COMPILE}"
        return Finding("native engine", "note", str(error).partition(";")[0], mend)
    return Finding("native engine", "ok", path.name)


def _check_cores(settings: Settings) -> Finding:
    cores, share = available_cores(), find_share()
    limit = f", limited to {share:g} of {os.cpu_count()}" if share is not None else ""
    found = f"{cores} for {_count(settings.workers)}{limit}"
    if settings.workers > cores:
        mend = f"GATEWISE_WORKERS={cores}: more processes than cores only wait for each other"
        return Finding("cores", "note", found, mend)
    return Finding("cores", "ok", found)


def _check_memory(free: int, settings: Settings) -> Finding:
    needed = settings.workers * WORKER_BYTES
    found = f"{_megabytes(free)} free; {_count(settings.workers)} take about {_megabytes(needed)}"
    if free < needed:
        return Finding("memory", "fault", found, "fewer workers, or a higher limit of memory")
    return Finding("memory", "ok", found)


def find_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory that are free to this process; None where nothing says it.

    Args:
        root: Where /proc and /sys are.
    """
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvail"))
    except (OSError, ValueError, StopIteration):
        return None
    groups = [_read_group(folder) for folder in find_groups(root, controller="memory")]
    return max(0, min([free, *(group for group in groups if group is not None)]))


def _read_group(group: Path) -> int | None:
    """Return the bytes that the limit of one control group leaves, of version 2 or 1."""
    two = (group / "memory.max").exists()
    limit, used = ("max", "current") if two else ("limit_in_bytes", "usage_in_bytes")
    try:
        cached = _read_cached((group / "memory.stat").read_text())
        limited = int((group / f"memory.{limit}").read_text())
        return limited - int((group / f"memory.{used}").read_text()) + cached
    except (OSError, ValueError):  # there is none, or it is "max"
        return None


def _read_cached(statistics: str) -> int:
    """Return the bytes of files that are given back as soon as somebody needs memory."""
    rows = dict(line.split() for line in statistics.splitlines())
    return int(rows.get("total_inactive_file", rows.get("inactive_file", 0)))


def _check_files(settings: Settings) -> Finding:
    """Say how many files a process may open, of which each connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = f"{'any number' if hard == resource.RLIM_INFINITY else hard} may be open in a process"
    if hard != resource.RLIM_INFINITY and hard < settings.max_connections:
        mend = (
            f"ulimit -n {2 * settings.max_connections}, for {settings.max_connections} connections"
        )
        return Finding("open files", "note", found, mend)
    return Finding("open files", "ok", found)


def _check_scratch() -> Finding:
    """Say whether temporary files can be written; workers share tables and counts in some."""
    try:
        folder = tempfile.gettempdir()
    except OSError as error:
        mend = "mount a writable /tmp, or set TMPDIR"
        return Finding("temporary files", "fault", str(error), mend)
    free = shutil.disk_usage(folder).free
    found = f"{_megabytes(free)} free in {folder}"
    if free < SPARE_BYTES:
        return Finding("temporary files", "fault", found, f"make room in {folder}")
    return Finding("temporary files", "ok", found)


def _count(workers: int) -> str:
    return f"{workers} worker" + "s" * (workers != 1)


def _megabytes(count: int) -> str:
    return f"{count / 1024**2:,.0f} MB"
