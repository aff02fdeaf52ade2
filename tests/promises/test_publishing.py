"""Whatever fails while a version is published, the old one serves or the new one is whole."""

import errno
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models import registry
from models.errors import GatewiseError
from models.registry import Store
from models.steering import give_label, promote
from models.version_labels import FILE, VersionLabels
from models.versions import Version
from service.answering import entry
from service.answering.catalog import Catalog
from tests.effort import Effort
from tests.promises.faults import READS, WRITES, Fault, faulty
from tests.promises.hostile.small_version import publish_small
from tests.promises.publishing import publish_again

ERRORS = (errno.ENOSPC, errno.EIO, errno.EMFILE)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return publish_small(tmp_path_factory.mktemp("small"))


@pytest.fixture
def store(small: Version, tmp_path: Path) -> Store:
    """A store with one version."""
    shutil.copytree(small.path, tmp_path / "store/toy/1")
    return Store(tmp_path / "store")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing."""
    monkeypatch.setattr(registry, "ABANDONED_SECONDS", -1.0)
    monkeypatch.setattr(entry, "RETRY_SECONDS", -1.0)
    monkeypatch.setattr(entry, "RETRY_TIMES", -1.0)


def require_whole(store: Store) -> list[int]:
    """Return the versions that are listed, all of them whole."""
    versions = store.versions("toy")
    for version in versions:
        version.verify()
    return [version.number for version in versions]


def leftovers(store: Store) -> list[str]:
    return [path.name for path in (store.root / "toy").iterdir() if path.name.startswith(".st")]


def each_fault(
    count: Callable[[Fault], None], below: Path, *, every: int
) -> Iterator[tuple[int, int]]:
    """Yield the number of each call of an undisturbed run, or of every n-th, with each error."""
    undisturbed = Fault(below)
    count(undisturbed)
    assert len(undisturbed.calls) > 5
    for at in range(0, len(undisturbed.calls), every):
        for number in ERRORS:
            yield at, number


def test_every_call_of_a_publication_may_fail(store: Store, small: Version, effort: Effort) -> None:
    """A service that looks at the store after each failure goes on to answer."""
    whole = store.root.with_name("whole")
    shutil.copytree(store.root, whole)
    catalog = open_catalog(store)

    def publish(fault: Fault) -> None:
        with faulty(fault, calls=WRITES):
            publish_again(store, small)

    for at, number in each_fault(publish, store.root, every=effort(short=3, long=1)):
        shutil.rmtree(store.root)
        shutil.copytree(whole, store.root)
        fault = Fault(store.root, at=at, number=number)
        told = None
        try:
            publish(fault)
        except OSError as error:
            told = error
        where = f"call {at} ({fault.calls[at]}) with {errno.errorcode[number]}"
        listed = require_whole(store)
        assert listed in ([1], [1, 2]), where
        assert told is None or told.errno == number, where
        assert told is not None or listed == [1, 2], where
        answer(catalog)
        assert publish_again(store, small).number == listed[-1] + 1, where
        assert not leftovers(store), where


def open_catalog(store: Store) -> Catalog:
    catalog = Catalog(store, default="toy", engine="native", keep=1)
    catalog.refresh()
    return catalog


def answer(catalog: Catalog) -> int:
    """Look at the store, and return the version that answers."""
    catalog.refresh()
    return catalog.find(None, version=None).metadata.version


def test_every_call_of_a_change_of_labels_may_fail(store: Store, effort: Effort) -> None:
    folder = store.root / "toy"
    now = datetime.now(UTC)
    old = VersionLabels().assign("stable", 1, now=now)
    new = old.assign("canary", 1, now=now)

    def save(fault: Fault) -> None:
        old.save(folder)
        with faulty(fault, calls=WRITES):
            new.save(folder)

    for at, number in each_fault(save, store.root, every=1):
        fault = Fault(store.root, at=at, number=number)
        with pytest.raises(OSError, match=os.strerror(number)):
            save(fault)
        found = store.labels("toy")
        assert found in (old, new), fault.calls[at]
    new.save(folder)
    assert {path.name for path in folder.iterdir()} == {"1", FILE}


def test_every_call_of_steering_may_fail(store: Store, small: Version) -> None:
    """The labels are as before or as asked for, and the next change goes through."""
    publish_again(store, small)
    versions = store.versions("toy")
    give_label(store, versions[0], "stable")

    def steer(fault: Fault) -> None:
        give_label(store, versions[1], "canary")
        with faulty(fault, calls=WRITES):
            promote(store, "toy")

    for at, number in each_fault(steer, store.root, every=1):
        give_label(store, versions[0], "stable")
        fault = Fault(store.root, at=at, number=number)
        try:
            steer(fault)
        except (OSError, GatewiseError):
            assert len(fault.calls) > at
        labels = store.labels("toy").versions
        assert labels in ({"stable": 1, "canary": 2}, {"stable": 2}), fault.calls[at]


def test_every_call_of_a_look_at_the_store_may_fail(
    store: Store, small: Version, effort: Effort, caplog: pytest.LogCaptureFixture
) -> None:
    """What is loaded answers on, one line says why, and the new version comes once it can."""
    second = store.root.with_name("second")
    shutil.copytree(store.root, second)
    publish_again(Store(second), small)

    def look(fault: Fault) -> None:
        shutil.rmtree(store.root / "toy/2", ignore_errors=True)
        catalog = open_catalog(store)
        shutil.copytree(second / "toy/2", store.root / "toy/2")
        caplog.clear()
        told = []
        try:
            with faulty(fault, calls=READS), caplog.at_level(logging.WARNING):
                catalog.refresh()
        except (OSError, GatewiseError) as error:  # which the service logs in a line
            told.append(str(error))
        told += caplog.messages
        assert len(told) <= 1, told
        assert "\n" not in "".join(told)
        assert catalog.find(None, version=None).metadata.version in (1, 2)
        assert answer(catalog) == 2

    for at, number in each_fault(look, store.root, every=effort(short=7, long=1)):
        fault = Fault(store.root, at=at, number=number)
        try:
            look(fault)
        except Exception as error:
            raise AssertionError(f"call {at}: {fault.calls[at]}") from error


WRITER = """
import sys
from pathlib import Path
from models.registry import Store
from models.versions import Version
from tests.promises.publishing import publish_again
store, small = Store(Path(sys.argv[1])), Version(Path(sys.argv[2]))
print("ready", flush=True)
while True:
    publish_again(store, small)
"""


@pytest.mark.e2e
def test_a_writer_may_be_killed_at_any_moment(store: Store, small: Version, effort: Effort) -> None:
    draw = random.Random(0)
    for _ in range(effort(short=3, long=200)):
        command = [sys.executable, "-c", WRITER, str(store.root), str(small.path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(draw.uniform(0, 0.3))
            writer.send_signal(signal.SIGKILL)
        listed = require_whole(store)
        assert listed == list(range(1, len(listed) + 1))
        assert publish_again(store, small).number == len(listed) + 1
        assert not leftovers(store)
        store.prune("toy", keep=1)
        shutil.rmtree(store.root / "toy")
        shutil.copytree(small.path, store.root / "toy/1")
