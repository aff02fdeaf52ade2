"""Finds the text and the label column, if the choice is clear."""

from datasets import ClassLabel, Dataset, Features, Value

from training.data.classes import is_list
from training.errors import DataError

TEXT_NAMES = ("text", "sentence", "review", "content", "body", "message", "comment", "document")
LABEL_NAMES = (
    "label", "labels", "target", "class", "category", "sentiment", "emotion", "intent", "topic",
    "stars", "rating", "score", "y",
)  # fmt: skip
_STRINGS = ("string", "large_string", "string_view")


def find_columns(rows: Dataset, *, text: str | None, label: str | None) -> tuple[str, str]:
    """Return the names of the text and of the label column.

    Args:
        rows: The training split.
        text: Name of the text column; None to find it.
        label: Name of the label column; None to find it.

    Raises:
        DataError: A named column is missing, or the choice is not clear; lists the columns.
    """
    features = rows.features
    for option, name in (("--text-column", text), ("--label-column", label)):
        if name is not None and name not in features:
            raise DataError(f"{option} {name!r}: no such column; {_list_columns(features)}")
    if text is not None and text == label:
        raise DataError(f"text and label column are both {text!r}; {_list_columns(features)}")
    if len(features) < 2:
        raise DataError(
            f"a text and a label column are needed; {_list_columns(features)} "
            "(fields are separated by commas in .csv, by tabs in .tsv)"
        )
    label = label or _find_label(features, text=text)
    return text or find_text(features, label=label), label


def _find_label(features: Features, *, text: str | None) -> str:
    others = [name for name in features if name != text]
    classes = [name for name in others if _holds_classes(features[name])]
    named = [name for name in others if name.lower() in LABEL_NAMES]
    choices = [classes, named]
    if len(features) <= 2:  # no third column could be meant
        not_text = [name for name in others if not _is_text(features[name])]
        not_named_text = [name for name in others if name.lower() not in TEXT_NAMES]
        choices += [others, not_text, not_named_text]
    for candidates in choices:
        if len(candidates) == 1:
            return candidates[0]
    raise DataError(
        f"which column is the label? name it with --label-column; {_list_columns(features)}"
    )


def find_text(features: Features, *, label: str | None = None) -> str:
    """Return the name of the only column, other than `label`, that can be the text.

    Raises:
        DataError: The choice is not clear; lists the columns.
    """
    strings = [name for name in features if name != label and _is_text(features[name])]
    named = [name for name in features if name != label and name.lower() in TEXT_NAMES]
    named_strings = [name for name in named if name in strings]
    # A column of another type with a usual name comes last; the reader then reports its bad rows.
    for candidates in (strings, named_strings, named):
        if len(candidates) == 1:
            return candidates[0]
    raise DataError(
        f"which column is the text? name it with --text-column; {_list_columns(features)}"
    )


def _holds_classes(feature: object) -> bool:
    return isinstance(feature.feature if is_list(feature) else feature, ClassLabel)


def _is_text(feature: object) -> bool:
    return isinstance(feature, Value) and feature.dtype in _STRINGS


def _list_columns(features: Features) -> str:
    columns = ", ".join(f"{name} ({_type_name(feature)})" for name, feature in features.items())
    return f"there are: {columns}"


def _type_name(feature: object) -> str:
    if is_list(feature):
        return f"lists of {_type_name(feature.feature)}"
    if isinstance(feature, ClassLabel):
        return f"{feature.num_classes} classes"
    if _is_text(feature):
        return "text"
    return str(feature.dtype) if isinstance(feature, Value) else type(feature).__name__
