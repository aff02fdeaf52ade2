"""Looks at the store: which versions answer, whether they are whole, and with which engine."""

import os
from collections.abc import Iterator

from gatewise.doctor.findings import Finding
from gatewise.places import STORE, awaits_filling
from models.errors import GatewiseError, ModelNotFound
from models.installation import command, install_command
from models.registry import Store
from models.versions import Version
from service.engines.loading import open_engine
from service.settings import Settings

_TRAIN = command("training", "train --dataset FILE")
_FIRST = f"train a model ({_TRAIN}), or name another store with {STORE}"


def check_versions(settings: Settings) -> Iterator[Finding]:
    """Yield what the store holds, and for each model the version and the engine that answer."""
    store = Store(settings.store)
    if awaits_filling(settings.store):
        found = f"{store.root.absolute()} is not there yet"
        yield Finding("store", "note", found, "gatewise serve makes it, with the shipped models")
        return
    try:
        store.check()
    except GatewiseError as error:
        yield Finding("store", "fault", str(error), _FIRST)
        return
    names = store.names()
    if not names:
        found = f"{store.root.absolute()}: {store.describe()}"
        yield Finding("store", "fault", found, _FIRST)
        return
    yield _check_place(store, models=len(names))
    if settings.model is not None:
        yield from _check_default(store, settings.model)
    for name in names:
        yield _check_model(store, name, settings=settings)


def _check_place(store: Store, *, models: int) -> Finding:
    found = f"{store.root.absolute()} has {models} model{'' if models == 1 else 's'}"
    if not os.access(store.root, os.W_OK):
        mend = "let this user write there if it trains, or moves labels"
        return Finding("store", "note", f"{found} and is read-only", mend)
    return Finding("store", "ok", found)


def _check_default(store: Store, reference: str) -> Iterator[Finding]:
    """Yield what is wrong with the model that answers where a request names none."""
    try:
        store.resolve(reference)
    except ModelNotFound as error:
        mend = "set GATEWISE_MODEL to one of them, or unset it"
        yield Finding("default model", "fault", str(error), mend)
    except GatewiseError:
        pass  # the model itself says it


def _check_model(store: Store, name: str, *, settings: Settings) -> Finding:
    try:
        version = store.resolve(name)
        version.verify()
    except (GatewiseError, OSError) as error:
        return Finding(name, "fault", str(error), _mend(store, name))
    return _check_engine(version, settings=settings)


def _mend(store: Store, name: str) -> str:
    """Return what brings an answer back."""
    again = "publish it again: train, or copy its folder from where it is whole"
    if len(store.versions(name)) == 1:
        return again
    return f"{command('models', f'rollback {name}')}, or {again}"


def _check_engine(version: Version, *, settings: Settings) -> Finding:
    try:
        opened = open_engine(version, kind=settings.engine, precision=settings.precision)
    except GatewiseError as error:
        mend = "GATEWISE_ENGINE=auto takes another"
        if settings.engine == "savedmodel":
            mend = f"{install_command('savedmodel')}, or {mend}"
        return Finding(version.reference, "fault", f"no engine: {error}", mend)
    found = str(opened)
    if opened.failed:
        mend = "the version is slower than it could be; publish it again, or report the fault"
        return Finding(version.reference, "note", found, mend)
    return Finding(version.reference, "ok", found)
