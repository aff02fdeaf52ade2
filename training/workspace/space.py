"""Says in one line that a disk is full, or takes no files, where writing to it fails."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from training.errors import CannotWrite

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


@contextmanager
def writing(folder: Path, *, needed: int = 0) -> Iterator[None]:
    """Raise CannotWrite if the disk of a folder fails while entered.

    Args:
        folder: The folder that is written to, for the message.
        needed: Bytes that are written, about; 0 if they are few.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.errno not in (*FULL, *CLOSED):
            raise
        reason = error.strerror or str(error)
        raise CannotWrite(_describe(folder, reason, needed=needed)) from error
    except Exception as error:
        if not _is_of_tensorflow(error):
            raise
        raise CannotWrite(_describe(folder, _find_cause(error), needed=needed)) from error


def _is_of_tensorflow(error: Exception) -> bool:
    """Whether it is one of the errors that TensorFlow has for a failed write, and for all else."""
    return hasattr(error, "error_code") and hasattr(error, "op")


def _find_cause(error: Exception) -> str:
    """Return the end of the first line, which names the cause; before it stand paths and nodes."""
    lines = str(error).strip().splitlines()
    line = lines[0] if lines else type(error).__name__
    return line.partition(" [Op:")[0].rpartition("; ")[2]


def _describe(folder: Path, reason: str, *, needed: int) -> str:
    told = f"cannot write to {folder}: {reason}"
    sizes = [f"about {_megabytes(needed)} are needed"] if needed else []
    with suppress(OSError):  # where the folder is not there
        sizes.append(f"{_megabytes(shutil.disk_usage(folder).free)} are free")
    return f"{told}; {' and '.join(sizes)}" if sizes else told


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
