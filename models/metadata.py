"""The metadata of a version: the schema of `assets.extra/metadata.json`."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.cells import CellName
from models.errors import FormatTooNew, VersionCorrupt
from models.names import Name

FORMAT_VERSION = 5

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Setting = str | int | float | bool | None
Task = Literal["single_label", "multi_label"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class FileRecord(_Record):
    """Size in bytes and hash of one file of a version."""

    size: int
    sha256: Sha256

    @classmethod
    def of(cls, path: Path) -> "FileRecord":
        """Return the record of an existing file."""
        return cls(size=path.stat().st_size, sha256=digest_file(path))


class StateTensor(_Record):
    """One tensor of the state that `step` takes and returns.

    `shape` is that of one text, without the batch axis. `fill` is the value before the first token.
    The output `next_<name>` is the next value of the tensor.
    """

    name: str
    shape: tuple[int, ...]
    fill: float


class WeightRecord(_Record):
    """Where a weight lies in the SavedModel's variables: its first byte, its shape and its type."""

    offset: int = Field(ge=0)
    shape: tuple[int, ...]
    dtype: Literal["float16", "float32", "int8"]


class Stopping(_Record):
    """The rule of early exit; see models/early_exit.py.

    Args:
        every: Tokens between two looks.
        intercept, weights: Regression of the log-odds that the label will still change.
        limits: Highest log-odds at which reading may end, by certainty.
        ahead: Whether the n-grams of the rest are looked up, as one more feature.
    """

    every: int = Field(ge=1)
    intercept: float
    weights: tuple[float, ...]
    limits: dict[str, float]
    ahead: bool = False  # not in format version 3


class NgramTable(_Record):
    """The table of hashed n-grams: highest order, rows and columns.

    An entry of 1 adds `scale` to a logit.
    """

    orders: int = Field(ge=1)
    buckets: int = Field(ge=1)
    columns: int = Field(ge=1)
    scale: float | None = None  # not in format versions before 4


class Architecture(_Record):
    """Sizes of the network, and of its n-gram table if there is one."""

    cell: CellName
    layers: int = Field(ge=1)
    units: int = Field(ge=1)
    embedding: int = Field(ge=1)
    vocabulary: int = Field(ge=2)
    parameters: int = Field(ge=1)
    ngrams: NgramTable | None = None  # not in format version 1


class SplitRecord(_Record):
    """One split of the training data: its origin and its content.

    `tokens` counts whole texts, also where training cut them. `sha256` covers texts and labels in
    order, and so does not depend on the file format.
    """

    split: str
    rows: int = Field(ge=1)
    tokens: int = Field(ge=0)
    sha256: Sha256


class DataRecord(_Record):
    """The training data of a version. `revision` is the Hub commit, None for local files."""

    source: str
    config: str | None
    revision: str | None
    text_column: str
    label_column: str
    train: SplitRecord
    validation: SplitRecord
    test: SplitRecord | None


class Metadata(_Record):
    """All facts that are needed to serve a version or to train it again."""

    format_version: int = FORMAT_VERSION
    name: Name
    version: int = Field(ge=1)
    created: datetime
    git_commit: str | None
    task: Task
    labels: tuple[str, ...] = Field(min_length=2)
    thresholds: tuple[float, ...] | None
    tokenizer_sha256: Sha256
    architecture: Architecture
    streamable: bool
    state: tuple[StateTensor, ...]
    data: DataRecord
    settings: dict[str, Setting]
    metrics: dict[str, dict[str, float]]
    baseline: dict[str, dict[str, float]] = {}  # not in format version 1
    training: dict[str, float]
    libraries: dict[str, str]
    weights: dict[str, WeightRecord] = {}  # not in format versions 1 and 2
    stopping: Stopping | None = None  # not in format versions 1 and 2
    files: dict[str, FileRecord]

    @model_validator(mode="after")
    def _consistent(self) -> "Metadata":
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be distinct")
        if self.thresholds is None and self.task == "multi_label":
            raise ValueError("multi_label needs thresholds")
        if self.thresholds is not None and len(self.thresholds) != len(self.labels):
            raise ValueError("thresholds must be as many as labels")
        if self.task == "single_label" and min(self.thresholds or [1]) <= 0:
            raise ValueError("thresholds of single_label must be above 0")
        if self.streamable != bool(self.state):
            raise ValueError("state tensors belong to a streamable version, and only there")
        return self

    @classmethod
    def load(cls, path: Path) -> "Metadata":
        """Read a metadata file.

        Raises:
            FormatTooNew: A newer release wrote it.
            VersionCorrupt: It is missing, is not JSON or does not fit the schema.
        """
        try:
            text = path.read_text(encoding="utf-8")
            found = _FormatProbe.model_validate_json(text).format_version
            if found > FORMAT_VERSION:
                raise FormatTooNew.of(path, supported=FORMAT_VERSION, found=found)
            return cls.model_validate_json(text)
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise VersionCorrupt(f"{path}: not a metadata file ({error})") from error

    def save(self, path: Path) -> None:
        """Write the metadata as indented JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _FormatProbe(BaseModel):
    """Reads the format version only; the other fields may be unknown to this release."""

    format_version: int
