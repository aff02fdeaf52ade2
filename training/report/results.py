"""The input of a report: the truth of each row, the predictions, and the costs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.decisions import DecisionRule
from models.metadata import Metadata, Task

FILE_PART = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitResult:
    """The truth of the rows of one split, and the predictions of each classifier.

    Args:
        name: Purpose of the split, such as "test" or "validation"; it becomes part of file names.
        labels: The class of each row, int32 (rows,); multi-label: 0 or 1, int32 (rows, labels).
        probabilities: Answers of the service, float32 (rows, labels).
        uncalibrated: The same before calibration.
        baseline: The same of the linear baseline.
        baseline_thresholds: Thresholds of the baseline, (labels,); see `DecisionRule`.
        lengths: Tokens of each row, int (rows,).
        leaked: Whether each row also occurs in train, bool (rows,); None if unknown.
        row_numbers: Number of each row in the dataset, int (rows,); None if in this order.

    Raises:
        ValueError: An array has another shape, or holds something other than numbers.
    """

    name: str
    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    lengths: NDArray[np.integer]
    uncalibrated: NDArray[np.float32] | None = None
    baseline: NDArray[np.float32] | None = None
    baseline_thresholds: tuple[float, ...] | None = None
    leaked: NDArray[np.bool_] | None = None
    row_numbers: NDArray[np.integer] | None = None

    def __post_init__(self) -> None:
        if not FILE_PART.fullmatch(self.name):
            raise ValueError(f"split {self.name!r}: a name is made of a-z, 0-9, '_' and '-'")
        if self.probabilities.ndim != 2 or not len(self.probabilities):
            self._refuse("probabilities", "(rows, labels), one row at least")
        if self.labels.shape not in ((self.rows,), self.probabilities.shape):
            self._refuse("labels", f"({self.rows},) or {self.probabilities.shape}")
        for name in ("probabilities", "uncalibrated", "baseline"):
            self._check_probabilities(name)
        for name in ("lengths", "leaked", "row_numbers"):
            values = getattr(self, name)
            if values is not None and values.shape != (self.rows,):
                self._refuse(name, f"({self.rows},)")

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.probabilities)

    def _check_probabilities(self, name: str) -> None:
        values = getattr(self, name)
        if values is None:
            return
        if values.shape != self.probabilities.shape:
            self._refuse(name, str(self.probabilities.shape))
        if not (np.all(values >= 0) and np.all(values <= 1)):  # also rejects a NaN
            raise ValueError(f"split {self.name!r}: {name} must lie between 0 and 1")

    def _refuse(self, name: str, expected: str) -> None:
        found = getattr(self, name).shape
        raise ValueError(f"split {self.name!r}: {name} must have shape {expected}, not {found}")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The costs of a version to train, to store and to run; None where unknown.

    Args:
        parameters: Number of learned parameters.
        megabytes: Size of the version on disk, 1 MB being 10⁶ bytes.
        milliseconds_per_text: Median time of each engine to answer one text alone, from ids to
            probabilities.
        timed_tokens: Median number of tokens of the timed texts.
        training_seconds: Time of fitting, with validation.
        tokens_per_second: Mean speed of training, without padding.
    """

    parameters: int | None = None
    megabytes: float | None = None
    milliseconds_per_text: Mapping[str, float] = field(default_factory=dict)
    timed_tokens: float | None = None
    training_seconds: float | None = None
    tokens_per_second: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Results:
    """The whole input of the report of one version.

    Args:
        title: Heading of the page.
        name: Name of the model.
        version: Version of the model.
        cell: Title of the recurrent cell: "GRU".
        created: Time of the training.
        source: Origin of the data.
        labels: Names, in the order of the probabilities.
        task: Whether a row has exactly one label or any number of them.
        thresholds: Thresholds of the version, (labels,); see `DecisionRule`.
        splits: By purpose.
        epochs: Learning curves, one entry an epoch: `loss` and `val_loss`, and scores by name.
        best_epoch: The epoch whose weights were kept, counted from 1; None if unknown.
        cost: Costs of the version.

    Raises:
        ValueError: Splits, labels and task are inconsistent.
    """

    title: str
    name: str
    version: str
    cell: str
    created: str
    source: str
    labels: Sequence[str]
    task: Task
    splits: Mapping[str, SplitResult]
    thresholds: tuple[float, ...] | None = None
    epochs: Sequence[Mapping[str, float]] = ()
    best_epoch: int | None = None
    cost: Cost = field(default_factory=Cost)

    @classmethod
    def of(
        cls,
        metadata: Metadata,
        *,
        title: str,
        splits: Mapping[str, SplitResult],
        cost: Cost,
        epochs: Sequence[Mapping[str, float]] = (),
        best_epoch: int | None = None,
    ) -> "Results":
        """Return the results of the version that `metadata` describes."""
        return cls(
            title=title,
            name=metadata.name,
            version=str(metadata.version),
            cell=metadata.architecture.cell.upper(),
            created=f"{metadata.created:%Y-%m-%d}",
            source=metadata.data.source,
            labels=metadata.labels,
            task=metadata.task,
            thresholds=metadata.thresholds,
            splits=splits,
            epochs=epochs,
            best_epoch=best_epoch,
            cost=cost,
        )

    @property
    def rule(self) -> DecisionRule:
        """How the labels of the version follow from its probabilities."""
        return DecisionRule(self.task, self.thresholds)

    def __post_init__(self) -> None:
        if not self.splits:
            raise ValueError("a report needs one split at least")
        self._check_thresholds("thresholds", self.thresholds, of=True)
        for split in self.splits.values():
            self._check_split(split)

    def _check_split(self, split: SplitResult) -> None:
        found = split.probabilities.shape[1]
        if found != len(self.labels):
            raise ValueError(
                f"split {split.name!r}: {found} columns, but {len(self.labels)} labels"
            )
        if (split.labels.ndim == 1) != (self.task == "single_label"):
            raise ValueError(
                f"split {split.name!r}: labels of shape {split.labels.shape} are not {self.task}"
            )
        end = len(self.labels) if self.task == "single_label" else 2
        if split.labels.min() < 0 or split.labels.max() >= end:
            raise ValueError(f"split {split.name!r}: labels must be 0 to {end - 1}")
        self._check_thresholds(
            f"split {split.name!r}: baseline_thresholds",
            split.baseline_thresholds,
            of=split.baseline is not None,
        )

    def _check_thresholds(self, what: str, found: Sequence[float] | None, *, of: bool) -> None:
        """Raise ValueError for thresholds that do not fit the labels; `of`: of what there is."""
        expected = len(self.labels) if of else 0
        if found is None and of and self.task == "multi_label":
            raise ValueError(f"{what}: {expected} expected, not {found}")
        if found is not None and len(found) != expected:
            raise ValueError(f"{what}: {expected or 'none'} expected, not {found}")
