"""What a version was made with, for its metadata."""

import platform
import subprocess
import unicodedata
from importlib.metadata import version
from pathlib import Path

from models import __version__

LIBRARIES = ("tensorflow", "keras", "numpy", "datasets", "tokenizers", "onnx", "onnxruntime")


def library_versions() -> dict[str, str]:
    """Return the versions of all that can change the result."""
    own = {"gatewise": __version__, "python": platform.python_version()}
    return (
        own | {"unicode": unicodedata.unidata_version} | {name: version(name) for name in LIBRARIES}
    )


def git_commit() -> str | None:
    """Return the commit of this source tree, None where it is not a git checkout."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
