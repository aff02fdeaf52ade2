"""The metadata of a version: the schema of `assets.extra/metadata.json`."""

import hashlib
import math
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    model_validator,
)

from models.cells import CELLS, CellName
from models.json_files import parse_versioned, read_versioned
from models.limits import (
    LARGEST_METADATA,
    LARGEST_PACKED,
    LARGEST_VERSION,
    LARGEST_WEIGHT,
    MOST_BUCKETS,
    MOST_FILES,
    MOST_LABELS,
    MOST_LAYERS,
    MOST_MULTIPLICATIONS,
    MOST_TOKENS,
    MOST_UNITS,
    MOST_WORK,
)
from models.names import Name
from models.regular_files import check_inner_name, open_regular

FORMAT_VERSION = 5

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
InnerName = Annotated[str, AfterValidator(check_inner_name)]
Dimensions = Annotated[
    tuple[Annotated[int, Field(ge=0, le=LARGEST_VERSION)], ...], Field(max_length=4)
]
_BYTES = {"float16": 2, "float32": 4, "int8": 1}
Certainty = Annotated[str, Field(pattern=r"^0\.[0-9]{1,6}$")]
Setting = str | int | float | bool | None
Task = Literal["single_label", "multi_label"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class FileRecord(_Record):
    """Size in bytes and hash of one file of a version."""

    size: int = Field(ge=0, le=LARGEST_VERSION)
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
    shape: Dimensions
    fill: float


class WeightRecord(_Record):
    """Where a weight lies in the SavedModel's variables: its first byte, its shape and its type."""

    offset: int = Field(ge=0, le=LARGEST_VERSION)
    shape: Dimensions
    dtype: Literal["float16", "float32", "int8"]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return math.prod(self.shape) * _BYTES[self.dtype]


class Stopping(_Record):
    """The rule of early exit; see models/early_exit.py.

    Args:
        every: Tokens between two looks.
        intercept, weights: Regression of the log-odds that the label will still change.
        limits: Highest log-odds at which reading may end, by certainty.
        ahead: Whether the n-grams of the rest are looked up, as one more feature.
    """

    every: int = Field(ge=1, le=MOST_TOKENS)
    intercept: float
    weights: tuple[float, ...]
    limits: dict[Certainty, float]
    ahead: bool = False  # not in format version 3

    @model_validator(mode="after")
    def _consistent(self) -> "Stopping":
        if len(self.weights) != 7 + self.ahead:
            raise ValueError(f"the rule has {7 + self.ahead} weights, not {len(self.weights)}")
        return self


class NgramTable(_Record):
    """The table of hashed n-grams: highest order, rows and columns.

    An entry of 1 adds `scale` to a logit.
    """

    orders: int = Field(ge=1, le=8)
    buckets: int = Field(ge=1, le=MOST_BUCKETS)
    columns: int = Field(ge=1, le=MOST_LABELS)
    scale: float | None = Field(
        default=None, ge=-LARGEST_WEIGHT, le=LARGEST_WEIGHT
    )  # not in format versions before 4


class Architecture(_Record):
    """Sizes of the network, and of its n-gram table if there is one."""

    cell: CellName
    layers: int = Field(ge=1, le=MOST_LAYERS)
    units: int = Field(ge=1, le=MOST_UNITS)
    embedding: int = Field(ge=1, le=MOST_UNITS)
    vocabulary: int = Field(ge=2, le=MOST_TOKENS)
    parameters: int = Field(ge=1)
    ngrams: NgramTable | None = None  # not in format version 1

    @property
    def multiplications(self) -> int:
        """Multiplications of a token in all layers."""
        inputs = [self.embedding, *[self.units] * (self.layers - 1)]
        cell = CELLS[self.cell]
        return sum(cell.multiplications(inputs=each, units=self.units) for each in inputs)

    @model_validator(mode="after")
    def _bounded(self) -> "Architecture":
        columns = CELLS[self.cell].blocks * self.units
        if 4 * self.vocabulary * columns > LARGEST_PACKED:
            raise ValueError("vocabulary times units is too large")
        if self.vocabulary * self.embedding * columns > MOST_WORK:
            raise ValueError("vocabulary times embedding times units is too large")
        if self.multiplications > MOST_MULTIPLICATIONS:
            raise ValueError("layers times units is too large")
        return self


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

    format_version: int = Field(default=FORMAT_VERSION, ge=1)
    name: Name
    version: int = Field(ge=1, lt=10**18)
    created: datetime
    git_commit: str | None
    task: Task
    labels: Annotated[tuple[str, ...], FailFast()] = Field(min_length=2, max_length=MOST_LABELS)
    thresholds: tuple[float, ...] | None
    tokenizer_sha256: Sha256
    architecture: Architecture
    streamable: bool
    state: Annotated[tuple[StateTensor, ...], FailFast()]
    data: DataRecord
    settings: dict[str, Setting]
    metrics: dict[str, dict[str, float]]
    baseline: dict[str, dict[str, float]] = {}  # not in format version 1
    training: dict[str, float]
    libraries: dict[str, str]
    weights: dict[str, WeightRecord] = {}  # not in format versions 1 and 2
    stopping: Stopping | None = None  # not in format versions 1 and 2
    files: dict[InnerName, FileRecord] = Field(max_length=MOST_FILES)

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
        table = self.architecture.ngrams
        known = table is not None and table.scale is not None and "ngrams" in self.weights
        if self.stopping and self.stopping.ahead and not known:
            raise ValueError("a rule that looks n-grams up needs the place of their table")
        if self.streamable != bool(self.state):
            raise ValueError("state tensors belong to a streamable version, and only there")
        return self

    @classmethod
    def load(cls, path: Path) -> "Metadata":
        """Read a metadata file.

        Raises:
            FormatTooNew: A newer release wrote it.
            VersionCorrupt: It is missing, too large, not JSON, or does not fit the schema.
        """
        return read_versioned(
            cls, newest=FORMAT_VERSION, path=path, limit=LARGEST_METADATA, kind="metadata file"
        )

    @classmethod
    def parse(cls, content: bytes, *, where: object) -> "Metadata":
        """Return the metadata that the bytes of such a file hold; `where` stands in messages.

        Raises:
            FormatTooNew: A newer release wrote it.
            VersionCorrupt: It is not JSON, or does not fit the schema.
        """
        return parse_versioned(
            cls, newest=FORMAT_VERSION, content=content, where=where, kind="metadata file"
        )

    def save(self, path: Path) -> None:
        """Write the metadata as indented JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a regular file's content, in hexadecimal."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
