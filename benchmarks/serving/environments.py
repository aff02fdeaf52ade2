"""Makes an environment of Python for each contestant."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

DONE = "done"  # the file that says that an environment is complete


def make_environment(packages: Sequence[str], *, folder: Path) -> Path:
    """Return the folder of programs of an environment; make it if it is missing.

    Args:
        packages: What pip installs; without packages it is the environment of this process.
        folder: The environment.
    """
    if not packages:
        return Path(sys.executable).parent
    programs = folder / "bin"
    if not (folder / DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run(
            [programs / "python", "-m", "pip", "install", "--quiet", *packages], check=True
        )
        (folder / DONE).touch()
    return programs
