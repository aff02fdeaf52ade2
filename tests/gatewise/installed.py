"""Lays the packages out as the wheel does, and runs the program from there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns("__pycache__", "store", "english", "compiled")


def lay_out(folder: Path) -> Path:
    """Return a folder that stands for site-packages: `gatewise` is in it, and nothing else."""
    package = folder / "site-packages" / "gatewise"
    shutil.copytree(ROOT / "gatewise", package, ignore=LEFT_OUT)
    for name in ("models", "service", "training"):
        shutil.copytree(ROOT / name, package / "packages" / name, ignore=LEFT_OUT)
    shutil.copytree(ROOT / "models/store/imdb-gru", package / "shipped/imdb-gru")
    return package.parent


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a user whose home is `folder`, who has set nothing of ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GATEWISE_", "OPENBLAS_", "XDG_", "COVERAGE_", "COV_"))
    }
    return kept | {"HOME": str(folder), "PYTHONPATH": str(folder / "site-packages")} | variables


def run_program(
    folder: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m gatewise` of `lay_out(folder)` in the home of such a user."""
    return _run_python(folder, ["-m", "gatewise", *arguments], **variables)


def run_script(folder: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the home of such a user."""
    return _run_python(folder, ["-c", script], **variables)


def _run_python(
    folder: Path, arguments: list[str], **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
