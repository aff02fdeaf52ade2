"""What can be found in a dataset. Rows are named by split and number, counted from 0."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Place:
    """Where a row stands."""

    split: str
    row: int


@dataclass(frozen=True)
class Faults:
    """Rows of a split that cannot be used, by what is wrong with them.

    Args:
        split: Name of the split.
        rows: Number of its rows, good or not.
        empty: Rows whose text is missing or blank.
        not_text: Rows that hold something other than text.
        unlabelled: Rows without a label.
        bad_label: Rows whose label names no class: a fraction, a number beyond the class names.
    """

    split: str
    rows: int
    empty: tuple[int, ...] = ()
    not_text: tuple[int, ...] = ()
    unlabelled: tuple[int, ...] = ()
    bad_label: tuple[int, ...] = ()


@dataclass(frozen=True)
class Balance:
    """Rows of each class in a split; a row counts for each of its labels.

    Args:
        split: Name of the split.
        labelled: Rows that have a label, or a list of labels, which may be empty.
        counts: Rows by class, classes without rows included.
    """

    split: str
    labelled: int
    counts: dict[str, int]


@dataclass(frozen=True)
class Match:
    """A row and another one that holds the same text.

    Args:
        row: The row.
        twin: The other one, in the split it is compared with.
        similarity: Share of the neighbouring words that both have; 1 may differ in punctuation.
    """

    row: int
    twin: int
    similarity: float


@dataclass(frozen=True)
class Repeats:
    """Rows of a split whose text also stands in another split, or earlier in the same.

    Args:
        split: The split of the rows.
        of: The split of the twins.
        exact: Rows with the same words and punctuation, case and spaces apart.
        near: Rows with nearly the same words, exact ones not repeated.
    """

    split: str
    of: str
    exact: tuple[Match, ...]
    near: tuple[Match, ...]

    def __len__(self) -> int:
        """Number of rows, exact and near."""
        return len(self.exact) + len(self.near)


@dataclass(frozen=True)
class LabelledRow:
    """A row and its labels: one, or in a dataset with several labels a row any number."""

    place: Place
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Contradiction:
    """Rows with the same text and not all the same labels.

    Args:
        rows: All rows with the text if it is exactly the same, else one row of each text.
        similarity: Share of the neighbouring words in common; None if the texts are the same.
    """

    rows: tuple[LabelledRow, ...]
    similarity: float | None


@dataclass(frozen=True)
class Cut:
    """What is lost where texts are cut after `limit` tokens.

    Args:
        limit: Tokens that are kept of a text.
        texts: Texts that are longer.
        tokens: Share of all tokens that is cut off.
    """

    limit: int
    texts: int
    tokens: float


@dataclass(frozen=True)
class Lengths:
    """How long the texts of a split are, empty ones not counted.

    Args:
        split: Name of the split.
        words: Words of a text by quantile: "0 %", "5 %", …, "100 %".
        tokens: Tokens of a text by quantile, as the tokenizer of a training would cut it.
        cuts: What a limit would lose.
    """

    split: str
    words: dict[str, float]
    tokens: dict[str, float]
    cuts: tuple[Cut, ...]


@dataclass(frozen=True)
class Overlap:
    """How much of a split's vocabulary the training split has.

    Args:
        split: Name of the split.
        types: Share of its different words that stand in train.
        occurrences: Share of its running words that stand in train.
    """

    split: str
    types: float
    occurrences: float


@dataclass(frozen=True)
class SortedSplit:
    """A split whose rows stand in long runs of one label.

    Args:
        split: Its name.
        breaks: Rows with another label than nearly all their neighbours.
    """

    split: str
    breaks: tuple[int, ...]


@dataclass(frozen=True)
class Suspect:
    """A row whose label is likely wrong.

    Args:
        place: Where it stands.
        given: Its labels.
        proposed: What its neighbours have if it breaks the order of a sorted split, else what a
            model fitted on other rows would rather give it.
        probability: That model's for the given label. Where rows may have several, for what is
            given as to the one label that `proposed` adds or takes away.
        reason: Whether the order of the rows or only their texts speak against the label.
    """

    place: Place
    given: tuple[str, ...]
    proposed: tuple[str, ...]
    probability: float
    reason: Literal["order", "text"]


@dataclass(frozen=True)
class Suspicion:
    """The labels most likely wrong, and how far the model that doubts them can be trusted.

    Args:
        judged: Rows that were judged.
        accuracy: Share of the judged labels on which model and dataset agree.
        suspects: The most suspicious rows, those that break the order of a sorted split before
            all others, the worst first of either.
    """

    judged: int
    accuracy: float
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True)
class Findings:
    """Everything found in a dataset; what was not looked for is empty or None.

    Args:
        labels: Names of the classes.
        multi_label: Whether a row may have several labels.
        faults: Of each split.
        balance: Of each split.
        repeats: Of each pair of splits, a split with itself included.
        contradictions: Those of exactly the same texts first.
        sorted_splits: Splits that are sorted by label.
        lengths: Of each split.
        vocabulary: Of each split but train.
        suspicion: None too where there are too few rows to judge any label.
        source: What was inspected, in words.
        text_column: Column of the text.
        label_column: Column of the labels.
        notices: What was left out.
    """

    labels: tuple[str, ...]
    multi_label: bool
    faults: tuple[Faults, ...]
    balance: tuple[Balance, ...]
    repeats: tuple[Repeats, ...]
    contradictions: tuple[Contradiction, ...]
    sorted_splits: tuple[SortedSplit, ...] = ()
    lengths: tuple[Lengths, ...] = ()
    vocabulary: tuple[Overlap, ...] = ()
    suspicion: Suspicion | None = None
    source: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    notices: tuple[str, ...] = ()
