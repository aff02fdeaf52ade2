"""A folder of scored parts that becomes the result once all of them are there.

A part has a name that its input determines, and appears whole. So it does not matter how often a
part is computed, nor by whom.
"""

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.atomic import sync
from models.tables.parquet import import_parquet
from service.scoring.request import ScoreError
from service.scoring.sources import Source
from service.scoring.target import held, parts_of

MANIFEST = "_manifest.json"  # readers of Parquet pass by names that begin so
_UNFINISHED = ".writing-"
_LONGEST_STEM = 60  # characters


@dataclass(frozen=True, kw_only=True)
class PartNames:
    """The names of the parts of one source.

    Args:
        source: The source.
        stem: What they begin with: the name of the source, and a hash of all that decides answers.
    """

    source: Source
    stem: str

    @classmethod
    def of(cls, source: Source, *, identity: Mapping[str, Any]) -> "PartNames":
        """Return the names for a source and what else decides the answers."""
        decides = {**asdict(source), **identity}
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode())
        name = re.sub(r"[^\w.-]", "_", source.path.name)[:_LONGEST_STEM].lstrip("._")
        return cls(source=source, stem=f"{name}-{digest.hexdigest()[:16]}")

    def part(self, number: int) -> str:
        """Return the name of a part, from 0."""
        return f"{self.stem}-{number:08d}.parquet"


class PartFolder:
    """The parts that belong to a target, beside it as `TARGET.parts` until they are all there.

    Args:
        target: The folder of the result.
    """

    def __init__(self, target: Path) -> None:
        self.target = target.absolute()
        self.path = parts_of(self.target)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from writing the same target while entered.

        Raises:
            ScoreError: Another process does.
        """
        with held(self.target):
            self.path.mkdir(parents=True, exist_ok=True)
            yield

    def check(self, *, where: str) -> None:
        """Raise ScoreError if the folder cannot be seen; `where` is the machine that looks."""
        if not self.path.is_dir():
            raise ScoreError(
                f"{where} cannot see {self.path}; give an --out in a folder that all nodes share"
            )

    def has(self, name: str) -> bool:
        """Whether a part is there."""
        return (self.path / name).exists()

    @contextmanager
    def adding(self, name: str) -> Iterator[Path]:
        """Yield a path to write a part at; on exit it appears under its name.

        Two that write the same part do not meet: each writes a file of its own.
        """
        unfinished = self.path / f"{_UNFINISHED}{uuid.uuid4().hex}"
        try:
            yield unfinished
            sync(unfinished)
            os.replace(unfinished, self.path / name)
        finally:
            unfinished.unlink(missing_ok=True)
        sync(self.path)

    def finish(self, parts: Mapping[PartNames, Sequence[int]], *, about: Mapping[str, Any]) -> None:
        """Check that all parts are there, write the manifest, and make the folder the result.

        Args:
            parts: Number of rows of each part, by the names of a source.
            about: What the manifest says beside: model and settings.

        Raises:
            ScoreError: A part is missing, or does not have its rows.
        """
        named = {
            names: {names.part(number): rows for number, rows in enumerate(counts)}
            for names, counts in parts.items()
        }
        for each in named.values():
            for name, rows in each.items():
                self._check_part(name, rows=rows)
        manifest = {
            **about,
            "rows": sum(map(sum, parts.values())),
            "sources": [
                {
                    "path": str(names.source.path),
                    "size": names.source.size,
                    "changed": names.source.changed,
                    "parts": each,
                }
                for names, each in named.items()
            ],
        }
        path = self.path / MANIFEST
        path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        sync(path)
        self._drop_all_but({MANIFEST, *(name for each in named.values() for name in each)})
        sync(self.path)
        self.path.rename(self.target)
        sync(self.target.parent)

    def drop_if_empty(self) -> None:
        """Delete the folder if no part is in it."""
        if self.path.is_dir() and not any(self.path.glob("*.parquet")):
            shutil.rmtree(self.path)

    def _check_part(self, name: str, *, rows: int) -> None:
        _, parquet = import_parquet()
        path = self.path / name
        found = parquet.read_metadata(path).num_rows if path.is_file() else None
        if found != rows:
            there_is = "no file" if found is None else f"{found:,}"
            raise ScoreError(f"{path}: expected {rows:,} rows, found {there_is}; delete it, rerun")

    def _drop_all_but(self, wanted: set[str]) -> None:
        """Delete parts of other models and settings, and what killed processes were writing."""
        for path in self.path.iterdir():
            if path.name not in wanted:
                path.unlink()
