"""The process that opens hostile versions, and what becomes of it."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.promises.hostile.opener import PATIENCE

ROOT = Path(__file__).resolve().parents[3]


class Opener:
    """Opens versions in another process; one that dies or hangs is a fault of the version.

    Args:
        warm: A version that is whole.
        scratch: Folder that the process may write to.
    """

    def __init__(self, warm: Path, scratch: Path) -> None:
        scratch.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.promises.hostile.opener", str(warm)],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(scratch)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._read(seconds=60) == "ready"

    def open(self, folder: Path) -> dict[str, Any]:
        """Return what the process says of a version; AssertionError where it dies or hangs."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{folder}\n".encode())
        self._process.stdin.flush()
        line = self._read(seconds=PATIENCE + 10)
        assert line, f"it ended the process with {self._process.wait(timeout=10)}"
        said: dict[str, Any] = json.loads(line)
        assert not said["violations"], said
        return said

    def _read(self, *, seconds: float) -> str:
        stdout = self._process.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], seconds)
        assert ready, f"nothing for {seconds} seconds"
        return stdout.readline().decode().strip()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
