"""The versions that are loaded, kept in step with the store."""

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from models.errors import GatewiseError, StoreNotFound
from models.names import Which, split_reference, suggest
from models.registry import Store
from models.version_labels import STABLE, Outcome, Verdict, VersionLabels
from models.versions import Version
from service.answering.classifier import Classifier
from service.answering.entry import Entry, find_fingerprint, load_entry
from service.answering.trials import Choice, Trial, draw_label, find_trials, list_choices
from service.engines.loading import EngineKind
from service.engines.native.layout import Precision
from service.errors import Invalid, NotFound, Unavailable, VersionFailed

_BEGINNING = "the models are still being loaded"

_log = logging.getLogger(__name__)

Entries = dict[int, Entry]
"""Entries by version, newest first."""


@dataclass(frozen=True)
class LoadedModel:
    """The loaded versions of a model.

    Args:
        entries: The versions.
        pending: Versions that are yet to be loaded, or once more, in that order.
        labels: The version that has each label, as the requests see it.
        shares: Share of each label in the requests that name none.
        parts: The same, and the part of each label that reads copies.
        trials: Labels with a part whose version is tried beside the stable one.
        choices: What answers the requests that come to these labels, and to stable beside them.
        verdicts: What became of earlier trials.
        fault: Why the labels are unknown; None if they are known.
    """

    entries: Entries = field(default_factory=dict)
    pending: dict[int, Version] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    fault: str | None = None

    def has(self, which: Which) -> bool:
        """Whether there is such a version or label."""
        if isinstance(which, str):
            return which in self.labels
        return which in self.entries or which in self.pending


Loaded = dict[str, LoadedModel]
"""Models by name."""


class Catalog:
    """Loads what the store holds and finds what a request asks for.

    A look at the store follows labels and drops what is gone, at once. Loading may take long. Each
    version that it loads answers as soon as it can, and looks go on meanwhile.

    Both may run in other threads than `find`: they replace the loaded versions in one step. A look
    waits for another one, so that an older one never replaces a newer one, and a load for another
    load. A dropped version stays in memory until the last request that uses it is answered.

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
        self._looking = threading.Lock()
        self._looked = False
        self._loading = threading.Lock()
        self._begun = False  # whether all that the first look found has been tried
        self._disk: int | None = None
        self._contents = ""  # of the store, in words
        self._said: str | None = None

    @property
    def ready(self) -> bool:
        """Whether the default model answers; any model, where there is no default.

        It is not before each version that was there at the start has been tried.
        """
        return self.awaited is None

    @property
    def awaited(self) -> str | None:
        """What is missing before the service is ready, and where; None once it is."""
        if not self._begun:
            return _BEGINNING
        if self._default is None and len(self._loaded) > 1:
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
            Unavailable: It is not loaded yet, or the default is not there.
        """
        loaded = self._loaded
        if not self._looked:
            raise Unavailable(_BEGINNING)
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
            if version in model.pending:
                raise _not_yet(f"{name}:{version}")
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

    def refresh(self, name: str | None = None) -> None:
        """Look at the store, and load versions that are new or have changed.

        Args:
            name: The model to load versions of; all if absent.

        Raises:
            StoreNotFound: The store is not there any more; what is loaded stays.
            OSError: The disk has a fault; what is loaded stays.
        """
        self.look()
        self.load(name)

    def look(self) -> None:
        """Follow the labels, note what is to be loaded, and drop versions that are gone.

        Raises what `refresh` does.
        """
        with self._looking:
            self._look()

    def load(self, name: str | None = None) -> None:
        """Try each version once that looks have found to be new or changed; see `refresh`."""
        tried: set[str] = set()
        while self._find_next(name, tried) is not None:
            self._load_next(name, tried)
        if name is None and self._looked:
            with self._looking:
                self._begun = True
                self._say_what_is_awaited()

    def _load_next(self, name: str | None, tried: set[str]) -> None:
        """Load a version and let it answer, unless another thread has done so meanwhile."""
        with self._loading:
            version = self._find_next(name, tried)
            if version is None:
                return
            tried.add(version.reference)
            try:
                entry = load_entry(version, engine=self._engine, precision=self._precision)
            except FileNotFoundError:  # deleted since the look
                return
            with self._looking:
                self._look({version.name: {version.number: entry}})

    def _find_next(self, name: str | None, tried: set[str]) -> Version | None:
        """Return the version to load next: what was never tried comes first, and the default."""
        waiting = [
            (number in model.entries, each != self._default, version)
            for each, model in self._loaded.items()
            for number, version in model.pending.items()
            if name in (None, each) and version.reference not in tried
        ]
        return min(waiting, key=lambda each: each[:2])[-1] if waiting else None

    def _look(self, news: Mapping[str, Entries] = {}) -> None:
        """Look at all models, or take over what has just been loaded of some."""
        self._store.check()
        names = self._store.names()
        self._check_disk(names)
        loaded = dict(self._loaded) if news else {}
        for name in names:
            if name in news or not news:
                loaded[name] = self._look_at(name, news.get(name, {}))
        for name in self._loaded.keys() & self._store.closed():
            loaded[name] = self._loaded[name]  # it is there, and may be read again
        self._contents = self._store.describe()
        self._loaded = {
            name: model
            for name, model in loaded.items()
            if model.entries or model.pending or model.fault
        }
        keys = {trial.key for trial in self.trials}
        self._decided = {key: each for key, each in self._decided.items() if key in keys}
        self._looked = True

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

    def _look_at(self, name: str, news: Entries) -> LoadedModel:
        """Return a model as the store has it now.

        Args:
            name: The model.
            news: What has just been loaded of it.
        """
        known = self._loaded.get(name, LoadedModel())
        labels, fault = self._read_labels(name, known)
        if labels is None:
            return replace(known, pending={}, fault=fault)
        entries, pending = self._select(name, known, labels, there={**known.entries, **news})
        moved = _move_labels(name, known, labels.versions, entries)
        trials = find_trials(
            name, labels, working=_working(entries), moved=moved, known=known.trials
        )
        return LoadedModel(
            entries,
            pending,
            moved,
            labels.shares,
            labels.parts,
            trials,
            list_choices(trials),
            labels.verdicts,
        )

    def _select(
        self, name: str, known: LoadedModel, labels: VersionLabels, *, there: Entries
    ) -> tuple[Entries, dict[int, Version]]:
        """Return the versions of a model that are kept, and those that are to be loaded.

        Those are the newest ones that work, as many as are kept. Where there are labels, it is the
        versions with a label, and those that were stable last. One that the default pins is kept
        beside them. While one of them is not loaded yet, none is dropped.
        """
        wanted = {*labels.versions.values(), *known.labels.values()} if labels.versions else set()
        wanted |= {each.version for each in labels.history(STABLE)[-self._keep :]}
        if name == self._default and isinstance(self._pinned, int):
            wanted.add(self._pinned)
        entries: Entries = {}
        pending: dict[int, Version] = {}
        missing = 0 if labels.versions else self._keep
        for version in reversed(self._store.versions(name)):
            number = version.number
            if missing == 0 and number not in wanted:
                continue
            try:
                fingerprint = find_fingerprint(version)
            except FileNotFoundError:  # deleted since it was listed
                continue
            if number in there:
                entries[number] = there[number]
            if number not in there or not there[number].is_current(fingerprint):
                pending[number] = version
            missing -= missing > 0 and (number in pending or entries[number].classifier is not None)
        if pending:
            entries = dict(sorted(there.items(), reverse=True))
        stable = labels.versions.get(STABLE)
        return entries, dict(sorted(pending.items(), key=lambda item: item[0] != stable))

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
    newest = next(iter(model.entries.values()), None)
    if newest is None or not model.pending.keys() <= model.entries.keys():
        raise _not_yet(name)
    return _usable(name, newest)


def _labelled(name: str, model: LoadedModel, *, label: str) -> Classifier:
    if label not in model.labels:
        raise NotFound(
            f"no version of {name!r} is {label!r}; its labels: {_list(model.labels)}",
            field="version",
        )
    number = model.labels[label]
    if number not in model.entries:
        if number in model.pending:
            raise _not_yet(f"{name}:{number} ({label})")
        raise VersionFailed(f"{name}:{label} is version {number}, which is not in the store")
    return _usable(f"{name}:{number} ({label})", model.entries[number])


def _usable(reference: str, entry: Entry) -> Classifier:
    if entry.classifier is None:
        raise VersionFailed(f"{reference} could not be loaded: {entry.reason}")
    return entry.classifier


def _not_yet(reference: str) -> Unavailable:
    return Unavailable(f"{reference} is still being loaded")


def _list(items: Iterable[object]) -> str:
    return ", ".join(map(str, items)) or "none"
