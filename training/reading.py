"""How a dataset is to be read: what its user says of files, columns, labels and bad rows."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The wishes of a user; None where it is to be found out.

    Args:
        encoding: Encoding of files of text.
        separator: Character between the fields of a row, or its name.
        text_column: Column of the text.
        label_column: Column of the label.
        label_columns: Columns that hold 0 or 1, one for each label, between commas.
        split_labels: Character between several labels that stand in one text.
        clean_labels: Whether labels that differ only in case, spaces and invisible characters are
            one.
        skip_unusable: Whether rows that cannot be used are left out, in place of an error.
    """

    encoding: str | None = None
    separator: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    label_columns: str | None = None
    split_labels: str | None = None
    clean_labels: bool = False
    skip_unusable: bool = False
