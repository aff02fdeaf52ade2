"""Reads a teacher's answer about one text, in any of the forms that teachers write.

An answer is an object with one of these, tried in this order:

- `probabilities`: an object of numbers by label, a list of them in the order of the labels, or a
  list of objects with `label` and `score`, as a Transformers pipeline returns.
- `logprobs`: the same with natural logarithms, also with `token` and `logprob`, as endpoints in the
  style of OpenAI return.
- a number for each label, under the label's name.
- `label` with or without `score`, its probability; or `labels`, a list.

Every name may have "predicted_" before it, as `service score` writes. The best few labels are
enough where each text has exactly one: the others share what is left.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metadata import Task
from training.data.labels import name_class, same_name, shorten

PREFIXES = ("predicted_", "")
FORMS = ("probabilities", "logprobs", "label", "score", "labels")
SLACK = 0.02  # by which probabilities may miss a sum of 1
NAMES, NUMBERS = ("label", "token"), ("score", "logprob", "probability")
SHAPES = (
    "write an object of probabilities by label, a number for each label, "
    "logprobs, or a label with its score"
)

Answer = Mapping[str, Any]
Vector = NDArray[np.float32]


class BadAnswer(ValueError):
    """An answer cannot be understood; says why."""


@dataclass(frozen=True)
class AnswerReader:
    """Reads answers about the labels of the data.

    Args:
        labels: The labels, in order.
        task: Whether labels exclude each other.
    """

    labels: Sequence[str]
    task: Task

    def read(self, answer: Answer) -> Vector:
        """Return the probability of each label, shape (labels,).

        Raises:
            BadAnswer: No form fits, or a number is no probability.
        """
        forms = (
            self._read_probabilities,
            self._read_logprobs,
            self._read_columns,
            self._read_label,
        )
        for prefix in PREFIXES:  # what was predicted comes before what may be a label of the data
            for read in forms:
                if (found := read(answer, prefix)) is not None:
                    return self._complete(found)
        raise BadAnswer(f"no verdict in {', '.join(answer) or 'it'}; {SHAPES}")

    def _read_probabilities(self, answer: Answer, prefix: str) -> dict[str, float] | None:
        name = f"{prefix}probabilities"
        if answer.get(name) is None:
            return None
        pairs = self._pairs(_parse(answer[name]), name=name)
        if not pairs:
            raise BadAnswer(f"{name!r} names no label; {self._there_are}")
        return {self._know(said): _to_probability(number) for said, number in pairs}

    def _read_logprobs(self, answer: Answer, prefix: str) -> dict[str, float] | None:
        """Return probabilities from logarithms; tokens that are no label are left out."""
        name = f"{prefix}logprobs"
        if answer.get(name) is None:
            return None
        found: dict[str, float] = {}
        for said, number in self._pairs(_parse(answer[name]), name=name):
            if (label := self._find(said)) is not None:
                found[label] = found.get(label, 0.0) + math.exp(min(0.0, _to_number(number)))
        total = sum(found.values())
        if not total:
            raise BadAnswer(f"{name!r} names none of the labels; {self._there_are}")
        if self.task == "single_label" and (total > 1 or len(found) == len(self.labels)):
            return {label: share / total for label, share in found.items()}
        return found

    def _pairs(self, value: Any, *, name: str) -> list[tuple[str, Any]]:
        if isinstance(value, Mapping):  # of Parquet, an object holds None for what others have
            return [(str(said), number) for said, number in value.items() if number is not None]
        if isinstance(value, list) and all(isinstance(each, Mapping) for each in value):
            return [(_first(each, NAMES, name), _first(each, NUMBERS, name)) for each in value]
        if isinstance(value, list) and len(value) == len(self.labels):
            return list(zip(self.labels, value, strict=True))
        if isinstance(value, list):
            raise BadAnswer(f"{name!r} has {len(value)} numbers for {len(self.labels)} labels")
        raise BadAnswer(f"{name!r} is {shorten(value)}; {SHAPES}")

    def _read_columns(self, answer: Answer, prefix: str) -> dict[str, float] | None:
        given = {label: answer.get(prefix + label) for label in self.labels}
        if any(value is None for value in given.values()):
            return None
        return {label: _to_probability(value) for label, value in given.items()}

    def _read_label(self, answer: Answer, prefix: str) -> dict[str, float] | None:
        several = answer.get(prefix + "labels")
        if self.task == "multi_label" and several is not None:
            named = _parse(several)
            if not isinstance(named, list):
                raise BadAnswer(f"'{prefix}labels' is {shorten(several)}; write a list")
            return dict.fromkeys(self.labels, 0.0) | dict.fromkeys(map(self._know, named), 1.0)
        one = name_class(answer.get(prefix + "label"))
        if one is None or not one.strip():
            return None
        score = answer.get(prefix + "score")
        return {self._know(one): 1.0 if score is None else _to_probability(score)}

    def _know(self, said: Any) -> str:
        label = self._find(str(said))
        if label is None:
            raise BadAnswer(f"the label is {shorten(said)}; {self._there_are}")
        return label

    def _find(self, said: str) -> str | None:
        """Return the label that is meant; spaces and case differ where models write tokens."""
        if said in self.labels:
            return said
        alike = [label for label in self.labels if same_name(label) == same_name(said)]
        return alike[0] if len(alike) == 1 else None

    @property
    def _there_are(self) -> str:
        return f"there are: {', '.join(self.labels)}"

    def _complete(self, found: Mapping[str, float]) -> Vector:
        """Return the probabilities of all labels; the unnamed ones share what is left."""
        given = np.array([found.get(label, math.nan) for label in self.labels], np.float64)
        missing, total = np.isnan(given), float(np.nansum(given))
        if self.task == "multi_label":
            return np.nan_to_num(given, nan=0.0).astype(np.float32)
        if total > 1 + SLACK or (not missing.any() and total < 1 - SLACK):
            raise BadAnswer(f"probabilities add up to {total:.3g}; a text has exactly one label")
        if missing.any():
            given[missing] = max(0.0, 1 - total) / missing.sum()
        return (given / given.sum()).astype(np.float32)


def _parse(value: Any) -> Any:
    """Return what stands in a text of JSON; all else stays as it is."""
    if not isinstance(value, str):
        return value.tolist() if isinstance(value, np.ndarray) else value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _first(each: Mapping[str, Any], names: Sequence[str], where: str) -> Any:
    for name in names:
        if each.get(name) is not None:
            return each[name]
    raise BadAnswer(f"{where!r} has an object without {' or '.join(names)}: {shorten(dict(each))}")


def _to_number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadAnswer(f"{shorten(value)} is no number") from None
    if math.isnan(number):
        raise BadAnswer(f"{shorten(value)} is no number")
    return number


def _to_probability(value: Any) -> float:
    number = _to_number(value)
    if not -1e-6 <= number <= 1 + 1e-6:
        raise BadAnswer(f"{number:g} is no probability from 0 to 1")
    return min(1.0, max(0.0, number))
