"""The findings of an inspection. A split and a number, counted from 0, identify a row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Place:
    """The place of a row."""

    split: str
    row: int


@dataclass(frozen=True)
class Faults:
    """Unusable rows of a split, by their fault.

    Args:
        split: Name of the split.
        rows: Number of all its rows.
        empty: Rows whose text is missing or blank.
        not_text: Rows that hold something other than text.
        unlabelled: Rows without a label.
        bad_label: Rows whose label is no class: a fraction, or a number beyond the class names.
    """

    split: str
    rows: int
    empty: tuple[int, ...] = ()
    not_text: tuple[int, ...] = ()
    unlabelled: tuple[int, ...] = ()
    bad_label: tuple[int, ...] = ()


@dataclass(frozen=True)
class Leftovers:
    """Rows of a split with characters that earlier programs left in their texts.

    Args:
        split: Name of the split.
        rows: Number of all its rows.
        entities: Rows with HTML entities.
        misdecoded: Rows with characters of a wrong encoding.
        invisible: Rows with invisible characters, which new versions do not read.
    """

    split: str
    rows: int
    entities: tuple[int, ...] = ()
    misdecoded: tuple[int, ...] = ()
    invisible: tuple[int, ...] = ()


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
    """A row and another row with the same text.

    Args:
        row: The row.
        twin: The other row, in the other split.
        similarity: Share of common pairs of neighbouring words; at 1 punctuation may differ.
    """

    row: int
    twin: int
    similarity: float


@dataclass(frozen=True)
class Repeats:
    """Rows of a split whose text also occurs in another split, or earlier in the same.

    Args:
        split: The split of the rows.
        of: The split of the twins.
        exact: Rows with the same words and punctuation; case and spaces may differ.
        near: Rows with nearly the same words, without the exact ones.
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
    """A row and its labels: one, or any number in a multi-label dataset."""

    place: Place
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Contradiction:
    """Rows with the same text and different labels.

    Args:
        rows: All rows of an exactly equal text; else one row of each of two similar texts.
        similarity: Share of common pairs of neighbouring words; None for equal texts.
    """

    rows: tuple[LabelledRow, ...]
    similarity: float | None


@dataclass(frozen=True)
class Cut:
    """The loss from cutting texts after `limit` tokens.

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
    """The lengths of a split's texts, without empty ones.

    Args:
        split: Name of the split.
        words: Words of a text by quantile: "0 %", "5 %", …, "100 %".
        tokens: Tokens of a text by quantile, with the tokenizer of a training.
        cuts: The loss at several limits.
    """

    split: str
    words: dict[str, float]
    tokens: dict[str, float]
    cuts: tuple[Cut, ...]


@dataclass(frozen=True)
class Overlap:
    """The part of a split's vocabulary that occurs in train.

    Args:
        split: Name of the split.
        types: Share of its different words that occur in train.
        occurrences: Share of its running words that occur in train.
    """

    split: str
    types: float
    occurrences: float


@dataclass(frozen=True)
class MovedWord:
    """A word that is much more, or much less, frequent in a split than in train.

    Args:
        word: The word.
        train: Share of the rows of train that hold it.
        split: The same of the split.
    """

    word: str
    train: float
    split: float


@dataclass(frozen=True)
class Shift:
    """How well a model tells the texts of a split from those of train.

    Args:
        split: Name of the split.
        rows: Rows of it that were compared.
        auc: Probability that the model finds which of two rows is of the split; chance is 0.5.
        low: Lower end of its 95 % interval.
        high: Upper end of the same.
        words: The words that moved most.
    """

    split: str
    rows: int
    auc: float
    low: float
    high: float
    words: tuple[MovedWord, ...]


@dataclass(frozen=True)
class SortedSplit:
    """A split whose rows form long runs of one label.

    Args:
        split: Name of the split.
        breaks: Rows with a label that nearly all their neighbours do not have.
    """

    split: str
    breaks: tuple[int, ...]


@dataclass(frozen=True)
class Suspect:
    """A row whose label is likely wrong.

    Args:
        place: The place of the row.
        given: Its labels.
        proposed: The label of its neighbours if it breaks the order of a sorted split, else the
            label from a model fitted on other rows.
        probability: That model's probability of the given label. For multi-label it is about the
            one label that `proposed` adds or removes.
        reason: Whether the order of the rows or only the text contradicts the label.
    """

    place: Place
    given: tuple[str, ...]
    proposed: tuple[str, ...]
    probability: float
    reason: Literal["order", "text"]


@dataclass(frozen=True)
class Suspicion:
    """The labels most likely wrong, and the accuracy of the model that doubts them.

    Args:
        judged: Number of judged rows.
        accuracy: Share of the judged labels on which model and dataset agree.
        suspects: The most suspicious rows. Those that break the order of a sorted split come
            before all others, and the worst come first in both groups.
    """

    judged: int
    accuracy: float
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True)
class Findings:
    """All findings in a dataset; those that were not sought are empty or None.

    Args:
        labels: Names of the classes.
        multi_label: Whether a row may have several labels.
        faults: Faults of each split.
        balance: Balance of each split.
        repeats: Repeats of each pair of splits, a split with itself included.
        contradictions: Contradictions, those of exactly equal texts first.
        sorted_splits: Splits that are sorted by label.
        alike: Groups of classes whose names differ only in case, spaces and invisible characters.
        swallowed: Rows whose text holds what looks like further rows.
        shifts: How far each split but train comes from elsewhere.
        leftovers: Leftovers of each split.
        lengths: Lengths of each split.
        vocabulary: Overlap of each split but train.
        english: Share of the words of each split that the shipped English network knows, by split.
        suspicion: Likely wrong labels; None also where there are too few rows to judge any.
        source: The inspected dataset in words.
        text_column: Column of the text.
        label_column: Column of the labels.
        notices: Omissions in words.
    """

    labels: tuple[str, ...]
    multi_label: bool
    faults: tuple[Faults, ...]
    balance: tuple[Balance, ...]
    repeats: tuple[Repeats, ...]
    contradictions: tuple[Contradiction, ...]
    sorted_splits: tuple[SortedSplit, ...] = ()
    alike: tuple[tuple[str, ...], ...] = ()
    swallowed: tuple[Place, ...] = ()
    shifts: tuple[Shift, ...] = ()
    leftovers: tuple[Leftovers, ...] = ()
    lengths: tuple[Lengths, ...] = ()
    vocabulary: tuple[Overlap, ...] = ()
    english: Mapping[str, float] = field(default_factory=dict)
    suspicion: Suspicion | None = None
    source: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    notices: tuple[str, ...] = ()
