"""The files to score, where there may be many."""

import glob
from dataclasses import dataclass
from pathlib import Path

from models.tables.folder import list_files
from models.tables.kinds import is_table
from service.scoring.request import ScoreError


@dataclass(frozen=True, order=True, kw_only=True)
class Source:
    """A file to score, or a folder of text files that are a row each.

    Args:
        path: Its absolute path.
        size: Its size (bytes); of a folder that of all files.
        changed: When it was changed (nanoseconds since 1970); of a folder the latest of all files.
    """

    path: Path
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> "Source":
        """Look at a file or folder; OSError if it is not there."""
        files = list_files(path) if path.is_dir() else [path]
        facts = [file.stat() for file in files]
        return cls(
            path=path.absolute(),
            size=sum(fact.st_size for fact in facts),
            changed=max((fact.st_mtime_ns for fact in facts), default=0),
        )

    def check(self, *, where: str) -> None:
        """Raise ScoreError if the file is another one now, or cannot be seen.

        Args:
            where: The machine that looks.
        """
        try:
            now = Source.of(self.path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ScoreError(
                f"{where} cannot read {self.path}: {reason}; all nodes have to share its folder"
            ) from None
        if now != self:
            raise ScoreError(f"{self.path} was changed meanwhile; run the command again")


def list_sources(given: Path, *, format: str | None = None) -> list[Source]:
    """Return the files that a path means: a file, those in a folder, or those of a glob.

    A folder means its tables, at any depth. Where it has only text files, it is a source itself:
    each file is a row.

    Args:
        given: The path, which may have `*`, `?`, `[...]` and `**`.
        format: Kind of all files; None for those whose names say a kind.

    Raises:
        ScoreError: There is none.
    """
    if given.is_file():
        return [Source.of(given)]
    if given.is_dir():
        files = list_files(given)
        tables = [file for file in files if format is not None or is_table(file.name)]
        if tables and all(file.suffix.lower() == ".txt" for file in tables):
            return [Source.of(given)]
        what = "file of a known kind in"
    else:
        tables = sorted(Path(found) for found in glob.glob(str(given), recursive=True))
        tables = [file for file in tables if file.is_file()]
        what = "file"
    if not tables:
        raise ScoreError(f"there is no {what} {given}")
    return [Source.of(file) for file in tables]
