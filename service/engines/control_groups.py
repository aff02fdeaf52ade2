"""The control groups of this process, by which a container is limited."""

from collections.abc import Iterator
from pathlib import Path


def find_groups(root: Path, *, controller: str) -> Iterator[Path]:
    """Yield the folders of the control groups of this process, each before the one above it.

    Args:
        root: Where /proc and /sys are.
        controller: What is limited, such as `cpu` or `memory`; of version 1, it has own groups.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / (controller if controllers else "")
        group = top / path.strip("/")  # in a container there may be no more than the top
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(top))
