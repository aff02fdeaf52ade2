"""The versions that are loaded, kept in step with the store."""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.errors import GatewiseError, StoreNotFound, VersionCorrupt
from models.names import Which, split_reference, suggest
from models.registry import Store
from models.regular_files import list_inside
from models.version_labels import STABLE, Outcome, Verdict, VersionLabels
from models.versions import Version
from service.answering.classifier import Classifier
from service.answering.trials import Choice, Trial, draw_label, find_trials, list_choices
from service.engines.cost import measure_cost
from service.engines.loading import EngineKind, open_engine
from service.engines.native.layout import Precision
from service.engines.runner import Runner
from service.errors import Invalid, NotFound, Unavailable, VersionFailed

_log = logging.getLogger(__name__)

RETRY_SECONDS = 30

Fingerprint = frozenset[tuple[str, int, int, int]]


@dataclass(frozen=True)
class Entry:
    """A version that was loaded, or why it could not be."""

    fingerprint: Fingerprint
    classifier: Classifier | None
    reason: str | None = None
    tried: float = 0.0

    def is_due(self) -> bool:
        """Whether to try again, for what failed may have been the disk, not the version."""
        return self.classifier is None and time.monotonic() - self.tried > RETRY_SECONDS


Entries = dict[int, Entry]
"""Entries by version, newest first."""


@dataclass(frozen=True)
class LoadedModel:
    """The loaded versions of a model.

    Args:
        entries: The versions.
        labels: The version that has each label, as the requests see it.
        shares: Share of each label in the requests that name none.
        parts: The same, and the part of each label that reads copies.
        trials: Labels with a part whose version is tried beside the stable one.
        choices: What answers the requests that come to these labels, and to stable beside them.
        verdicts: What became of earlier trials.
        fault: Why the labels are unknown; None if they are known.
    """

    entries: Entries = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    fault: str | None = None

    def has(self, which: Which) -> bool:
        """Whether there is such a version or label."""
        return which in self.entries if isinstance(which, int) else which in self.labels


Loaded = dict[str, LoadedModel]
"""Models by name."""


class Catalog:
    """Loads what the store holds and finds what a request asks for.

    `refresh` may run in other threads than `find`: it replaces the loaded versions in one step, and
    a second one waits for the first, so that an older look never replaces a newer one. A dropped
    version stays in memory until the last request that uses it is answered.

    Args:
        store: Where the versions are.
        default: Model, or model:version, for requests that name none.
        engine: What computes.
        precision: Of the native engine.
        keep: Newest versions of each model kept loaded, so that clients of the last can move on.
            Where there are labels, those that had the label `stable` last.
    """

    def __init__(
        self,
        store: Store,
        *,
        default: str | None,
        engine: EngineKind,
        precision: Precision = "int16",
        keep: int,
    ) -> None:
        self._store = store
        name, self._pinned = split_reference(default or "")
        self._default = name or None
        self._engine = engine
        self._precision = precision
        self._keep = keep
        self._loaded: Loaded = {}
        self._decided: dict[str, Outcome] = {}  # by the key of a trial
        self._refreshing = threading.Lock()
        self._refreshed = False
        self._disk: int | None = None
        self._contents = ""  # of the store, in words
        self._said: str | None = None

    @property
    def ready(self) -> bool:
        """Whether the default model answers; any model, where there is no default."""
        return self.awaited is None

    @property
    def awaited(self) -> str | None:
        """What is missing before the service is ready, and where; None once it is."""
        if self._default is None and self._refreshed and len(self._loaded) > 1:
            return self._first_failure()
        try:
            self.find(None, version=None)
        except (NotFound, Unavailable) as error:
            return error.message
        return None

    def _first_failure(self) -> str | None:
        """Return why a model cannot answer; None if any can."""
        reasons = []
        for name, model in self._loaded.items():
            try:
                _choose(name, model)
            except Unavailable as error:
                reasons.append(error.message)
            else:
                return None
        return reasons[0]

    def find(
        self, name: str | None, *, version: Which | None, request: bytes | None = None
    ) -> Classifier:
        """Return the classifier of a model; see `choose`."""
        return self.choose(name, version=version, request=request).classifier

    def choose(
        self, name: str | None, *, version: Which | None, request: bytes | None = None
    ) -> Choice:
        """Return the version of a model that answers a request.

        Args:
            name: The model; the default if absent.
            version: A version, or the label of one. If absent the stable version answers, or the
                newest one of a model without labels.
            request: Id of the request, which decides where labels share what names no version. The
                same id comes to the same version. If absent, the stable version answers.

        Raises:
            Invalid: No model is named and there is no default.
            NotFound: There is no such model, version or label.
            VersionFailed: There is, but it could not be loaded.
            Unavailable: Nothing is loaded yet, or the default is not there.
        """
        loaded = self._loaded
        if not self._refreshed:
            raise Unavailable("the models are still being loaded")
        if name is None:
            name, version = self._default_of(loaded, version=version)
        if name not in loaded:
            there_are = _list(loaded) + suggest(name, among=loaded)
            raise NotFound(f"no model {name!r}; there are: {there_are}", field="model")
        model = loaded[name]
        if version is None:
            if request is None or not model.parts:
                return Choice(_choose(name, model))
            return self._draw(name, model, request=request)
        if isinstance(version, str):
            return Choice(_labelled(name, model, label=version))
        if version not in model.entries:
            raise NotFound(
                f"no version {version} of {name!r} is loaded; there are: {_list(model.entries)}",
                field="version",
            )
        return Choice(_usable(f"{name}:{version}", model.entries[version]))

    def _draw(self, name: str, model: LoadedModel, *, request: bytes) -> Choice:
        """Return what answers a request where labels have parts of the traffic."""
        label = draw_label(name, model.parts, request=request)
        if self._decided and (decided := self._find_decided(model, label)):
            return Choice(decided)
        if label in model.choices:
            return model.choices[label]
        entry = model.entries.get(model.labels[label]) if label in model.shares else None
        if entry is not None and entry.classifier is not None:  # else stable answers
            return Choice(entry.classifier)
        return Choice(_choose(name, model))

    def _find_decided(self, model: LoadedModel, label: str) -> Classifier | None:
        """Return what answers the requests of a label if that has been decided here."""
        for trial in model.trials.values():
            if label in (STABLE, trial.label) and self._decided.get(trial.key) == "promoted":
                return trial.canary
        own = model.trials.get(label)
        return own.stable if own is not None and own.key in self._decided else None

    def decide(self, trial: Trial, outcome: Outcome) -> None:
        """Let no request come to a version any more, or all that came to stable.

        It holds here, until the labels change.
        """
        self._decided = self._decided | {trial.key: outcome}

    def _default_of(self, loaded: Loaded, *, version: Which | None) -> tuple[str, Which | None]:
        if not loaded:
            raise self._waiting(f"model {self._default!r}" if self._default else "a first version")
        if self._default is None:
            if len(loaded) > 1:
                raise Invalid(f"name a model; there are: {_list(loaded)}", field="model")
            return next(iter(loaded)), version
        if self._default not in loaded:
            near = suggest(self._default, among=loaded)
            raise self._waiting(f"model {self._default!r}", hint=near)
        model, version = loaded[self._default], version or self._pinned
        if version is not None and version == self._pinned and not model.has(version):
            there_are = _list([*model.entries, *model.labels])
            raise self._waiting(f"{self._default}:{version}", hint=f"; its versions: {there_are}")
        return self._default, version

    def _waiting(self, what: str, *, hint: str = "") -> Unavailable:
        place = self._store.root.absolute()
        return Unavailable(f"waiting for {what} in {place}; {self._contents}{hint}")

    @property
    def loaded(self) -> Loaded:
        """Every model with its versions, those that could not be loaded too."""
        return self._loaded

    @property
    def trials(self) -> list[Trial]:
        """The trials of all models."""
        return [trial for model in self._loaded.values() for trial in model.trials.values()]

    @property
    def default(self) -> str | None:
        """The model for requests that name none: the one that is set, or the only one."""
        if self._default is None and len(self._loaded) == 1:
            return next(iter(self._loaded))
        return self._default

    def refresh(self) -> None:
        """Load versions that are new or have changed, and drop those that are gone.

        Raises:
            StoreNotFound: The store is not there any more; what is loaded stays.
            OSError: The disk has a fault; what is loaded stays.
        """
        with self._refreshing:
            self._refresh()

    def _refresh(self) -> None:
        self._store.check()
        names = self._store.names()
        self._check_disk(names)
        loaded = {name: self._refresh_model(name) for name in names}
        for name in self._loaded.keys() & self._store.closed():
            loaded[name] = self._loaded[name]  # it is there, and may be read again
        self._contents = self._store.describe()
        self._loaded = {
            name: model for name, model in loaded.items() if model.entries or model.fault
        }
        keys = {trial.key for trial in self.trials}
        self._decided = {key: each for key, each in self._decided.items() if key in keys}
        self._refreshed = True
        self._say_what_is_awaited()

    def _check_disk(self, names: list[str]) -> None:
        """Raise StoreNotFound where the disk with the store is gone and left an empty folder."""
        disk = self._store.root.stat().st_dev
        if self._loaded and not names and disk != self._disk:
            raise StoreNotFound(
                f"the store {self._store.root.absolute()} is empty and on another disk than "
                "before, so its disk may have been lost; what is loaded still answers"
            )
        self._disk = disk

    def _say_what_is_awaited(self) -> None:
        """Log what is missing, once and not at every look."""
        awaited = self.awaited
        if awaited and awaited != self._said:
            _log.warning("not ready: %s", awaited)
        elif self._said and not awaited:
            _log.info("ready: nothing is missing any more")
        self._said = awaited

    def _refresh_model(self, name: str) -> LoadedModel:
        """Return the versions of a model that are to be loaded, newest first.

        Those are the newest ones that work, as many as are kept. Where there are labels, it is the
        versions with a label, and those that were stable last. One that the default pins is kept
        beside them.
        """
        known = self._loaded.get(name, LoadedModel())
        labels, fault = self._read_labels(name, known)
        if labels is None:
            return replace(known, fault=fault)
        wanted = {*labels.versions.values(), *known.labels.values()} if labels.versions else set()
        wanted |= {each.version for each in labels.history(STABLE)[-self._keep :]}
        if name == self._default and isinstance(self._pinned, int):
            wanted.add(self._pinned)
        entries: Entries = {}
        missing = 0 if labels.versions else self._keep
        for version in reversed(self._store.versions(name)):
            if missing == 0 and version.number not in wanted:
                continue
            try:
                entry = self._refresh_version(version, known.entries.get(version.number))
            except FileNotFoundError:  # deleted since it was listed
                continue
            entries[version.number] = entry
            missing -= missing > 0 and entry.classifier is not None
        moved = _move_labels(name, known, labels.versions, entries)
        trials = find_trials(name, labels, working=_working(entries), moved=moved)
        return LoadedModel(
            entries,
            moved,
            labels.shares,
            labels.parts,
            trials,
            list_choices(trials),
            labels.verdicts,
        )

    def _read_labels(
        self, name: str, known: LoadedModel
    ) -> tuple[VersionLabels | None, str | None]:
        """Return the labels of a model, or why they are unknown; what is new of that is logged."""
        try:
            return self._store.labels(name), None
        except GatewiseError as error:
            fault = str(error)
        if fault != known.fault:
            _log.error("the labels of %s are not changed: %s", name, fault)
        return None, fault

    def _refresh_version(self, version: Version, known: Entry | None) -> Entry:
        fault: VersionCorrupt | None = None
        try:
            fingerprint = _fingerprint(version.path)
        except VersionCorrupt as error:
            fingerprint, fault = frozenset(), error
        if known is not None and known.fingerprint == fingerprint and not known.is_due():
            return known
        try:
            if fault is not None:
                raise fault
            version.verify()
            opened = open_engine(version, kind=self._engine, precision=self._precision)
            engine, state = opened.engine, version.metadata.state
            # Here, off the event loop, where the cost is needed from the first request on.
            runner = Runner(engine, state=state, cost=measure_cost(engine, state))
        except Exception as error:  # one bad version must not keep the others from being served
            unforeseen = None if isinstance(error, GatewiseError | OSError) else error
            _log.error("%s cannot be served: %s", version.path, error, exc_info=unforeseen)
            return Entry(fingerprint, None, reason=str(error), tried=time.monotonic())
        level = logging.WARNING if opened.failed else logging.INFO
        _log.log(level, "%s is ready with %s", version.path, opened)
        return Entry(fingerprint, Classifier(version, runner=runner))


def _move_labels(
    name: str, known: LoadedModel, asked: dict[str, int], entries: Entries
) -> dict[str, int]:
    """Return the version that has each label; a label stays where it is until its new one works."""

    def works(number: int | None) -> bool:
        return number in entries and entries[number].classifier is not None

    moved = {}
    for label, number in asked.items():
        before = known.labels.get(label)
        moved[label] = before if before and works(before) and not works(number) else number
        if moved[label] != before:
            _log.info("%s:%s is %s", name, number, label)
    return moved


def _working(entries: Entries) -> dict[int, Classifier]:
    return {n: each.classifier for n, each in entries.items() if each.classifier is not None}


def _choose(name: str, model: LoadedModel) -> Classifier:
    """Return what answers when no version is named, and no label has a part in that."""
    if model.fault is not None and not model.labels:
        raise VersionFailed(f"it is not known which version of {name} answers: {model.fault}")
    if STABLE in model.labels:
        return _labelled(name, model, label=STABLE)
    for entry in model.entries.values():
        if entry.classifier is not None:
            return entry.classifier
    return _usable(name, next(iter(model.entries.values())))


def _labelled(name: str, model: LoadedModel, *, label: str) -> Classifier:
    if label not in model.labels:
        raise NotFound(
            f"no version of {name!r} is {label!r}; its labels: {_list(model.labels)}",
            field="version",
        )
    number = model.labels[label]
    if number not in model.entries:
        raise VersionFailed(f"{name}:{label} is version {number}, which is not in the store")
    return _usable(f"{name}:{number} ({label})", model.entries[number])


def _usable(reference: str, entry: Entry) -> Classifier:
    if entry.classifier is None:
        raise VersionFailed(f"{reference} could not be loaded: {entry.reason}")
    return entry.classifier


def _list(items: Iterable[object]) -> str:
    return ", ".join(map(str, items)) or "none"


def _fingerprint(folder: Path) -> Fingerprint:
    """Return what changes when a version's files do: name, size and times of each.

    A copy may keep the time of its original, or all files may have one and the same. The time of
    the last change of the entry itself is set by the system alone.

    Raises:
        VersionCorrupt: There is something that no version has, such as a link.
    """
    return frozenset(
        (name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        for name, stat in list_inside(folder).items()
    )
