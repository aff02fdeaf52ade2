"""Compares two published versions, except times."""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.sameness.report import Difference, list_differences
from benchmarks.sameness.saved_model import read_program

STRIPPED = (
    "metadata.json: created, git_commit, training.seconds, training.tokens_per_second, "
    "size and sha256 of the files below",
    "README.md: times and speeds",
    "report/report.html: times, speeds, megabytes",
    "report/report.json: created, cost (but for parameters and timed_tokens)",
    "saved_model.pb: numbers in names, only where its bytes differ",
    "fingerprint.pb: the uuid, which TensorFlow draws, and the checksum of saved_model.pb",
)
VARYING_FILES = ("README.md", "report.html", "report.json", "saved_model.pb", "fingerprint.pb")
TIMED_COSTS = ("megabytes", "milliseconds_per_text", "training_seconds", "tokens_per_second")
TIMED_TRAINING = ("seconds", "tokens_per_second")
_TIME = re.compile(
    r"(?:[\d.,]+(?:&nbsp;|[ \u00a0])(?:ms|s|min|h|MB|tokens/s)\b[ \u00a0]?)+|\d{4}-\d\d-\d\d"
)
# Field 1, a varint, and field 7, a string of digits.
_DRAWN = re.compile(rb"^\x08[\x80-\xff]*[\x00-\x7f]|:.\d{16,40}$", re.DOTALL)


def require_same_version(what: str, before: Path, after: Path) -> int:
    """Return the number of files of two versions that are the same.

    Args:
        what: Name of the versions in the message.
        before: Folder of the first version.
        after: Folder of the second version.

    Raises:
        Difference: They are not; it names every file that differs.
    """
    names = [sorted(_names(folder)) for folder in (before, after)]
    if places := list_differences(*names):
        raise Difference("\n".join([f"{what}: other files", *places]))
    if "saved_model.pb" not in names[0]:
        raise Difference(f"{what}: no version is published at {before}")
    places = [
        f"  {name}:\n  {line}"
        for name in names[0]
        for line in _compare(before / name, after / name)[:5]
    ]
    if places:
        raise Difference("\n".join([f"{what}:", *places]))
    return len(names[0])


def _names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def _compare(before: Path, after: Path) -> list[str]:
    places = list_differences(_read(before), _read(after))
    if places and before.name == "saved_model.pb":
        return list_differences(
            *(list(read_program(path.read_bytes())) for path in (before, after))
        )
    return places


def _read(path: Path) -> Any:
    """Return the content of a file, without times."""
    content = path.read_bytes()
    if path.name == "metadata.json":
        return _strip_metadata(json.loads(content))
    if path.name == "report.json":
        return _strip_report(json.loads(content))
    if path.name in {"README.md", "report.html"}:
        return _TIME.sub("TIME", content.decode()).splitlines()
    if path.name == "fingerprint.pb":
        return _DRAWN.sub(b"", content)
    return content


def _strip_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    for name in ("created", "git_commit"):
        metadata.pop(name)
    for name in TIMED_TRAINING:
        metadata["training"].pop(name)
    for name in metadata["files"]:
        if name.endswith(VARYING_FILES):
            metadata["files"][name] = "compared itself"
    return metadata


def _strip_report(report: dict[str, Any]) -> dict[str, Any]:
    report.pop("created")
    for name in TIMED_COSTS:
        report["cost"].pop(name)
    return report
