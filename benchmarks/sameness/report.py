"""Reports results: the same, a difference, or other words for the same thing."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import typer

MOST_SHOWN = 20  # places of one difference
LONGEST_SHOWN = 200  # characters of a value


class Difference(Exception):
    """The checkouts do not behave the same. The message says where."""


class Report:
    """Prints a line for each comparison, and collects differences of wording.

    Args:
        wording: File for the messages that say the same thing in other words.
    """

    def __init__(self, wording: Path) -> None:
        self._wording = wording
        self._reworded: list[dict[str, str]] = []
        self._noted: Counter[str] = Counter()
        self._since = time.monotonic()

    def same(self, what: str) -> None:
        """Print that this is the same, and the seconds since the last line."""
        now = time.monotonic()
        typer.echo(f"same  {what}  ({now - self._since:.0f} s)")
        self._since = now

    def require(self, what: str, before: Any, after: Any) -> None:
        """Raise Difference unless both values are equal."""
        if places := list_differences(before, after):
            raise Difference("\n".join([f"{what}:", *places[:MOST_SHOWN]]))

    def reword(self, where: str, before: str, after: str) -> None:
        """Keep two messages if they differ. This is not a failure."""
        if before != after:
            self._reworded.append({"where": where, "before": before, "after": after})

    def note(self, what: str) -> None:
        """Count something that may differ."""
        self._noted[what] += 1

    def close(self) -> None:
        """Print the notes and write the messages with other words."""
        for what, times in self._noted.items():
            typer.echo(f"note  {what}: {times:,}")
        typer.echo(f"note  messages in other words: {len(self._reworded)}, see {self._wording}")
        self._wording.parent.mkdir(parents=True, exist_ok=True)
        self._wording.write_text(json.dumps(self._reworded, indent=2), encoding="utf-8")


def list_differences(
    before: Any, after: Any, *, tolerance: float = 0.0, place: str = "$"
) -> list[str]:
    """Return the places in which two JSON values differ, with both values.

    Args:
        before: A JSON value.
        after: Another.
        tolerance: By how much two floats may differ.
        place: Name of the value in the messages.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(f"{place}.{key}", before, after, key) for key in sorted({*before, *after})]
        return [line for pair in pairs for line in _compare_members(*pair, tolerance)]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            line
            for index, (one, other) in enumerate(zip(before, after, strict=True))
            for line in list_differences(one, other, tolerance=tolerance, place=f"{place}[{index}]")
        ]
    if isinstance(before, float) and isinstance(after, float) and abs(before - after) <= tolerance:
        return []
    if before == after and type(before) is type(after):
        return []
    start = _first_difference(before, after) if isinstance(before, str | bytes) else 0
    found = [_shorten(value[start:] if start else value) for value in (before, after)]
    where = f" from {start:,}" if start else ""
    return [f"  {place}{where}: before {found[0]}, after {found[1]}"]


def _compare_members(
    place: str, before: dict[str, Any], after: dict[str, Any], key: str, tolerance: float
) -> list[str]:
    if key not in after:
        return [f"  {place}: only before, {_shorten(before[key])}"]
    if key not in before:
        return [f"  {place}: only after, {_shorten(after[key])}"]
    return list_differences(before[key], after[key], tolerance=tolerance, place=place)


def _first_difference(before: str | bytes, after: Any) -> int:
    """Return the place just before two texts differ, to show them from there; 0 if short."""
    if type(before) is not type(after) or max(len(before), len(after)) <= LONGEST_SHOWN:
        return 0
    pairs = enumerate(zip(before, after, strict=False))
    first = next((i for i, (one, other) in pairs if one != other), min(len(before), len(after)))
    return max(0, first - 60)


def _shorten(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
