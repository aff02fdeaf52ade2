"""The request of a run of scoring, and what can be wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import GatewiseError
from models.tables.rows import may_hold
from models.versions import Version
from service.engines.loading import EngineKind
from service.scoring.score import PART_ROWS

STANDARD = Path("-")  # standard input or output


class ScoreError(GatewiseError):
    """The request cannot be fulfilled."""


@dataclass(frozen=True, kw_only=True)
class ScoringRun:
    """The request of a run.

    Args:
        source: File to read, or STANDARD. On a cluster also a folder of files, or a glob.
        target: File to write, which must not exist yet, or STANDARD. On a cluster a folder.
        format: Kind of both files; None takes it from the ends of their names.
        column: Column of the text; None for "text", or the only column.
        prefix: Prefix of the added columns.
        encoding: Encoding of the file to read; None to find it.
        separator: Character between its fields; None to find it.
        engine: Kind of engine that computes.
        threads: Number of computing threads.
        probabilities: Whether the probability of each label is added.
    """

    source: Path
    target: Path
    format: str | None
    column: str | None
    prefix: str
    encoding: str | None
    separator: str | None
    engine: EngineKind
    threads: int
    probabilities: bool = False

    def identify(self, version: Version) -> dict[str, str | int | None]:
        """Return all that decides the answers, apart from what is read."""
        return {
            "model": f"{version.reference} of {version.metadata.created.isoformat()}",
            "text column": self.column,
            "prefix": self.prefix,
            "format": self.format,
            "encoding": self.encoding,
            "separator": self.separator,
            "probabilities": self.probabilities,
            "number of rows": PART_ROWS,
        }


def find_column(there: Sequence[str], *, asked: str | None) -> str:
    """Return the name of the text column.

    Raises:
        ScoreError: It is missing, or not named among several.
    """
    listed = ", ".join(map(repr, there)) or "none"
    if asked is not None and not may_hold(there, asked):
        raise ScoreError(f"no column {asked!r}; there are: {listed}")
    if asked is None and len(there) != 1 and "text" not in there:
        raise ScoreError(f"name the column of the text with --text-column, one of: {listed}")
    return asked or ("text" if "text" in there else there[0])
