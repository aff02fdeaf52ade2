"""Compares the packages that are declared with those that are installed."""

import platform
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any

from packaging.requirements import Requirement

from gatewise.doctor.findings import Finding
from models import __version__
from models.installation import CLONE, DISTRIBUTION, install_command

EXTRAS = {
    "training": "train, tune, compare, curve, teach, inspect and evaluate",
    "tune": "tune",
    "hub": "models at the Hugging Face Hub",
    "s3": "models in S3",
    "gs": "models in Google Cloud Storage",
    "ray": "--ray, and serve-ray",
    "parquet": "score of Parquet files",
    "savedmodel": "the reference engine",
    "redis": "rates that replicas share",
    "otel": "traces",
    "mlflow": "trainings logged with MLflow",
}
"""What each extra is for; the others are for developers."""


def check_packages() -> Iterator[Finding]:
    """Yield what is installed, and what is missing for what."""
    yield Finding("gatewise", "ok", f"{__version__}, with Python {platform.python_version()}")
    needed = read_declarations()
    if not needed:
        yield Finding("packages", "note", "nothing here says which are needed")
        return
    if lacks := _find_lacks(needed[""]):
        yield Finding("packages", "fault", _join(lacks), "install Gatewise again")
    else:
        yield Finding("packages", "ok", f"all {len(needed[''])} are installed")
    for extra, purpose in EXTRAS.items():
        if lacks := _find_lacks(needed.get(extra, [])):
            found = f"not installed ({_join(lacks)}): {purpose}"
            yield Finding(f"[{extra}]", "note", found, install_command(extra))
        else:
            yield Finding(f"[{extra}]", "ok", f"installed: {purpose}")


def read_declarations() -> dict[str, list[Requirement]]:
    """Return what is needed on this machine, by extra, "" for what everybody needs.

    It is empty where neither a clone nor the metadata of the distribution says so.
    """
    if (CLONE / "pyproject.toml").is_file():
        project: dict[str, Any] = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
        groups = {"": project["dependencies"], **project["optional-dependencies"]}
        return {name: _applying(map(Requirement, lines)) for name, lines in groups.items()}
    try:
        declared = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return {}
    requirements = [Requirement(line) for line in declared.requires or []]
    found = {"": _applying(requirements)}
    for extra in declared.metadata.get_all("Provides-Extra") or []:
        applying = _applying(requirements, extra)
        found[extra] = [each for each in applying if each not in found[""]]
    return found


def _applying(requirements: Iterable[Requirement], extra: str = "") -> list[Requirement]:
    """Return those requirements whose condition holds here."""
    asked = {"extra": extra}
    return [each for each in requirements if each.marker is None or each.marker.evaluate(asked)]


def _find_lacks(requirements: list[Requirement]) -> list[str]:
    """Return what is missing, or is there in a version that is not admitted."""
    return [lack for each in requirements if (lack := _find_lack(each))]


def _find_lack(requirement: Requirement) -> str | None:
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return requirement.name
    if requirement.specifier.contains(found, prereleases=True):
        return None
    return f"{requirement.name} {found}, not {requirement.specifier}"


def _join(lacks: list[str]) -> str:
    """Return the first of them, and the number of the others."""
    more = f" and {len(lacks) - 3} more" if len(lacks) > 3 else ""
    return ", ".join(lacks[:3]) + more
