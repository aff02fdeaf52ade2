"""Keeps results in a JSON file, to which runs can be added."""

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Results:
    """A JSON file of records by name.

    Args:
        path: The file; it may be missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found: Record = json.loads(path.read_text()) if path.exists() else {}

    def part(self, name: str) -> Record:
        """Return a part; add it if it is missing."""
        found: Record = self.found.setdefault(name, {})
        return found

    def save(self) -> None:
        """Write the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(self._path.name + ".part")
        part.write_text(json.dumps(self.found, indent=1) + "\n")
        part.replace(self._path)
