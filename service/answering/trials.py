"""Which requests a version on trial answers, and of which it reads a copy."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from models.version_labels import STABLE, VersionLabels
from service.answering.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Trial:
    """A version with a label that has a share or a shadow, beside the stable one of its model.

    Args:
        model: The model.
        label: The label.
        canary: The version that has it.
        stable: The stable version.
        part: Share of the requests that name no version.
        shadow: Whether it reads a copy of them; else it answers them, and stable reads the copy.
        since: When the label and `stable` were given to the versions.
    """

    model: str
    label: str
    canary: Classifier
    stable: Classifier
    part: float
    shadow: bool
    since: tuple[datetime, datetime]

    @cached_property
    def key(self) -> str:
        """The same in all processes, and another one when either version or its label changes."""
        parts = [self.model, self.label, *(each.isoformat() for each in self.since)]
        for side in (self.canary, self.stable):
            parts += [side.reference, side.digest]
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()

    def other(self, classifier: Classifier) -> Classifier:
        """Return the side that a version is not."""
        return self.stable if classifier is self.canary else self.canary


class Choice(NamedTuple):
    """The version that answers a request.

    Args:
        classifier: The version.
        trials: Trials of which it is a side; none where the request names a version.
        copied: The one of them whose other side reads the same texts afterwards, if any does.
    """

    classifier: Classifier
    trials: tuple[Trial, ...] = ()
    copied: Trial | None = None


def find_trials(
    model: str,
    labels: VersionLabels,
    *,
    working: Mapping[int, Classifier],
    moved: Mapping[str, int],
    known: Mapping[str, Trial],
) -> dict[str, Trial]:
    """Return the trials of a model by label.

    A label is tried if its version and the stable one are two that work. While requests still see
    an earlier version in the place of either, the trial before goes on.

    Args:
        model: The model.
        labels: Its labels.
        working: Versions that work, by number.
        moved: The version of each label as the requests see it.
        known: The trials before.
    """
    versions = labels.versions
    trials = {}
    for label, part in labels.parts.items():
        sides = (label, STABLE)
        canary, stable = (working.get(moved.get(each, 0)) for each in sides)
        if canary is None or stable is None or canary is stable:
            continue
        if any(moved.get(each) != versions.get(each) for each in sides):
            before = known.get(label)
            if before is not None and (before.canary, before.stable) == (canary, stable):
                trials[label] = before
            continue
        trials[label] = Trial(
            model,
            label,
            canary,
            stable,
            part,
            label in labels.shadows,
            (labels.history(label)[-1].since, labels.history(STABLE)[-1].since),
        )
    return trials


def list_choices(trials: Mapping[str, Trial]) -> dict[str, Choice]:
    """Return which version answers the requests that come to each label, `stable` among them."""
    together = tuple(trials.values())
    choices = {}
    for label, trial in trials.items():
        choices[STABLE] = Choice(trial.stable, together)
        shadow, share = Choice(trial.stable, together, trial), Choice(trial.canary, (trial,), trial)
        choices[label] = shadow if trial.shadow else share
    return choices


def draw_label(name: str, parts: Mapping[str, float], *, request: bytes) -> str:
    """Return the label that a request comes to by the hash of its id.

    Args:
        name: The model.
        parts: The part of the requests that comes to each label; the rest is that of `stable`.
        request: The id.
    """
    digest = hashlib.blake2b(request, digest_size=8, person=name.encode()[:16]).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for label, part in parts.items():
        place -= part
        if place < 0:
            return label
    return STABLE
