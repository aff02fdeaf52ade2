"""How Gatewise was installed, and so what installs more of it."""

import json
import os
import shlex
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

DISTRIBUTION = "gatewise"
CLONE = Path(__file__).resolve().parents[1]
"""The folder that holds the packages: a clone, or that of the wheel."""
IN_WHEEL = CLONE.name == "packages"
"""Whether they lie in the package `gatewise`, and are found only once that is imported."""


def command(package: str, arguments: str = "") -> str:
    """Return how a command of a package is given here: from a clone, or by the program of a wheel.

    Args:
        package: `models`, `service` or `training`.
        arguments: The command and its arguments.
    """
    if not IN_WHEEL:
        words = ["python", "-m", package]
    else:  # the commands of the other two are commands of the program
        words = [DISTRIBUTION, package] if package == "models" else [DISTRIBUTION]
    return " ".join([*words, arguments]).strip()


def install_command(extra: str) -> str:
    """Return the command that adds an extra to this installation, however that was made."""
    if (CLONE / "Makefile").is_file():
        return "make setup"
    wanted = shlex.quote(f"{DISTRIBUTION}[{extra}]{_origin()}")
    prefix = Path(sys.prefix)
    if (prefix / "uv-receipt.toml").is_file():
        return f"uv tool install --force {wanted}"
    if (prefix / "pipx_metadata.json").is_file():
        return f"pipx install --force {wanted}"
    if "UV" in os.environ and find_spec("pip") is None:  # uvx makes an environment for one command
        return f"uvx --from {wanted} {DISTRIBUTION}"
    return f"pip install {wanted}"


def _origin() -> str:
    """Return where this distribution came from, as pip takes it; "" if from an index."""
    try:
        written = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return ""
    return f" @ {json.loads(written)['url']}" if written else ""
