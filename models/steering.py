"""Moves the labels of versions, and with them the traffic.

Only versions whose files are as they were published get a label. Changes by several processes come
one after the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from models.errors import CannotSteer
from models.installation import command
from models.names import check_label
from models.registry import Store
from models.version_labels import CANARY, STABLE, Assignment, Verdict, VersionLabels
from models.versions import Version


class _Editor:
    """The labels of a model while they are changed.

    Args:
        name: The model.
        labels: What they are.
    """

    def __init__(self, name: str, labels: VersionLabels) -> None:
        self.name = name
        self.labels = labels
        self.now = datetime.now(UTC)


@contextmanager
def _editing(store: Store, name: str) -> Iterator[_Editor]:
    """Yield the labels of a model, and save what they are at the end."""
    with store.changing(name):
        before = store.labels(name)
        editor = _Editor(name, before)
        yield editor
        if editor.labels != before:
            editor.labels.save(store.root / name)


def give_label(
    store: Store,
    version: Version,
    label: str,
    *,
    share: float | None = None,
    shadow: float | None = None,
) -> None:
    """Give a label to a version; another version that has it loses it.

    Args:
        store: The store.
        version: The version.
        label: The label.
        share: Share of the traffic that names no label; as it was if absent, 0 for none.
        shadow: Part of that traffic of which it reads a copy, in place of a share.

    Raises:
        CannotSteer: It is the first label of the model, and not `stable`; or the shares are more
            than all of the traffic; or share and shadow are given.
        ModelNotFound: The version is not in the store any more.
        VersionCorrupt: The files of the version are damaged.
        ValueError: It is no label.
    """
    check_label(label)
    if share is not None and shadow is not None:
        raise CannotSteer(f"give {label} a share or a shadow, not both")
    version.verify()
    name = version.name
    with _editing(store, name) as editor:
        store.resolve(version.reference)  # it may have been deleted while it was verified
        if label != STABLE and STABLE not in editor.labels.versions:
            raise CannotSteer(
                f"{name} has no version that is {STABLE}, so its newest one answers; "
                f"give that label first: {command('models', f'label {name}:VERSION {STABLE}')}"
            )
        labels = editor.labels.assign(label, version.number, now=editor.now)
        if share is not None:
            labels = _check_parts(labels.share(label, share), label)
        if shadow is not None:
            labels = _check_parts(labels.shadow(label, shadow), label)
        editor.labels = labels


def _check_parts(labels: VersionLabels, label: str) -> VersionLabels:
    """Return labels whose shares leave something for `stable`; one of them has just been given."""
    if label == STABLE:
        raise CannotSteer(f"{STABLE} has what the others leave; give a share to another label")
    if (total := sum(labels.shares.values())) >= 1:
        raise CannotSteer(
            f"the shares would come to {total:.0%}, and nothing would be left for {STABLE}"
        )
    if (total := sum(labels.parts.values())) > 1:
        raise CannotSteer(f"shares and shadows would come to {total:.0%} of the traffic")
    return labels


def take_label(store: Store, name: str, label: str) -> int:
    """Take a label away; return the version that had it.

    Raises:
        CannotSteer: No version has it, or it is `stable` while there are others.
    """
    with _editing(store, name) as editor:
        number = _require(editor, label)
        others = [each for each in editor.labels.versions if each != label]
        if label == STABLE and others:
            raise CannotSteer(
                f"{STABLE} goes last, because its version answers what names no label; "
                f"first take away: {', '.join(others)}"
            )
        editor.labels = editor.labels.withdraw(label)
        return number


def promote(store: Store, name: str) -> int:
    """Make the canary the stable version; return its number.

    Raises:
        CannotSteer: There is no canary.
        ModelNotFound: It is not in the store any more.
        VersionCorrupt: Its files are damaged.
    """
    with _editing(store, name) as editor:
        number = _require(editor, CANARY)
        store.resolve(f"{name}:{number}").verify()
        labels = editor.labels.assign(STABLE, number, now=editor.now)
        editor.labels = labels.withdraw(CANARY)
        return number


def roll_back(store: Store, name: str, *, label: str = STABLE) -> tuple[int, int]:
    """Give a label back to the version that had it before; return the versions before and after.

    Versions that are not in the store any more are passed over.

    Raises:
        CannotSteer: No version has the label, or none of those that had it is left.
        VersionCorrupt: The files of the version are damaged.
    """
    with _editing(store, name) as editor:
        number = _require(editor, label)
        target = _find_earlier(store, editor, label)
        store.resolve(f"{name}:{target.version}").verify()
        editor.labels = editor.labels.roll_back(label, to=target, now=editor.now)
        return number, target.version


def conclude(
    store: Store, name: str, verdict: Verdict, *, since: tuple[datetime, datetime]
) -> bool:
    """Do what a verdict says, and keep it; return False if the labels have moved meanwhile.

    So any number of processes may do it: the first one does.

    Args:
        store: The store.
        name: The model.
        verdict: What is done. Its label is taken away; a promoted version becomes `stable`.
        since: When the label and `stable` were given to the versions of the verdict.

    Raises:
        CannotSteer: Another process is changing the labels.
        ModelNotFound: The model, or a version that is promoted, is not in the store any more.
        VersionCorrupt: The files of a version that is promoted are damaged.
        OSError: The store cannot be written.
    """
    with _editing(store, name) as editor:
        judged = (
            Assignment(version=verdict.version, since=since[0]),
            Assignment(version=verdict.stable, since=since[1]),
        )
        present = [editor.labels.history(label)[-1:] for label in (verdict.label, STABLE)]
        if present != [(each,) for each in judged]:
            return False
        if verdict.outcome == "promoted":
            store.resolve(f"{name}:{verdict.version}").verify()
        editor.labels = editor.labels.conclude(verdict)
        return True


def _require(editor: _Editor, label: str) -> int:
    """Return the version with a label."""
    versions = editor.labels.versions
    if label not in versions:
        there_are = ", ".join(versions) or "none"
        raise CannotSteer(f"no version of {editor.name} is {label}; its labels: {there_are}")
    return versions[label]


def _find_earlier(store: Store, editor: _Editor, label: str) -> Assignment:
    *earlier, present = editor.labels.history(label)
    there_are = {version.number for version in store.versions(editor.name)} - {present.version}
    for each in reversed(earlier):
        if each.version in there_are:
            return each
    had = ", ".join(str(each.version) for each in earlier) or "no other"
    raise CannotSteer(
        f"there is nothing to go back to: {label} had {had} before {present.version}"
        + ("; none of them is in the store" if earlier else "")
    )
