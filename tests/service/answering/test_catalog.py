import errno
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.errors import StoreNotFound
from models.names import Which
from models.registry import Store
from models.steering import give_label, promote, roll_back, take_label
from models.version_labels import FILE, VersionLabels
from models.versions import Version
from service.answering.catalog import Catalog
from service.answering.entry import Entry
from service.engines import loading as opening
from service.engines.protocol import EngineUnavailable
from service.errors import Invalid, NotFound, Unavailable, VersionFailed
from tests.service.slow_versions import SlowVersions
from tests.versions import CountingEngine, publish


def make_catalog(root: Path, *, default: str | None = None, keep: int = 2) -> Catalog:
    catalog = Catalog(Store(root), default=default, engine="auto", keep=keep)
    catalog.refresh()
    return catalog


def version_of(catalog: Catalog, name: str | None = None, *, version: Which | None = None) -> int:
    return catalog.find(name, version=version).metadata.version


def break_version(root: Path, number: int) -> None:
    (root / "toy" / str(number) / "saved_model.pb").write_bytes(b"broken!")


def test_the_newest_versions_are_kept(tmp_path) -> None:
    for _ in range(3):
        publish(tmp_path)
    catalog = make_catalog(tmp_path)
    assert version_of(catalog, "toy") == 3
    assert version_of(catalog, "toy", version=2) == 2
    with pytest.raises(NotFound, match="no version 1 of 'toy' is loaded; there are: 3, 2"):
        catalog.find("toy", version=1)


def test_a_broken_version_is_named_and_the_one_before_answers(tmp_path) -> None:
    for _ in range(3):
        publish(tmp_path)
    break_version(tmp_path, 3)
    catalog = make_catalog(tmp_path, keep=1)
    assert version_of(catalog, "toy") == 2
    assert catalog.ready
    with pytest.raises(
        VersionFailed, match="toy:3 could not be loaded: .*saved_model.pb: expected"
    ):
        catalog.find("toy", version=3)
    broken, ready = catalog.loaded["toy"].entries.values()
    assert broken.classifier is None
    assert ready.classifier is not None
    assert "saved_model.pb" in str(broken.reason)


def test_a_model_that_is_broken_altogether_says_why(tmp_path) -> None:
    publish(tmp_path)
    break_version(tmp_path, 1)
    catalog = make_catalog(tmp_path)
    assert not catalog.ready
    with pytest.raises(VersionFailed, match="toy could not be loaded"):
        catalog.find("toy", version=None)


def test_a_broken_version_is_tried_again_when_it_changes(tmp_path) -> None:
    version = publish(tmp_path)
    whole = (version.path / "saved_model.pb").read_bytes()
    break_version(tmp_path, 1)
    catalog = make_catalog(tmp_path)
    (version.path / "saved_model.pb").write_bytes(whole)
    catalog.refresh()
    assert version_of(catalog) == 1


def test_what_has_not_changed_is_not_loaded_again(tmp_path) -> None:
    publish(tmp_path)
    catalog = make_catalog(tmp_path)
    first = catalog.find("toy", version=None)
    catalog.refresh()
    assert catalog.find("toy", version=None) is first


def test_a_version_replaced_under_its_number_is_loaded_again(tmp_path) -> None:
    publish(tmp_path)
    catalog = make_catalog(tmp_path)
    shutil.rmtree(tmp_path / "toy")
    publish(tmp_path, labels=("bad", "good"))
    catalog.refresh()
    assert catalog.find("toy", version=None).metadata.labels == ("bad", "good")


class TestReplacedWithTheSameTimes:
    """A copy that keeps times, or files that all have the time of a reproducible build."""

    @staticmethod
    def publish_dated(root: Path, *, labels: tuple[str, str]) -> None:
        version = publish(root, labels=labels)
        for path in (version.path, *version.path.rglob("*")):
            os.utime(path, (0, 0))

    def test_the_files_of_another_version(self, tmp_path: Path) -> None:
        self.publish_dated(tmp_path / "store", labels=("neg", "pos"))
        self.publish_dated(tmp_path / "other", labels=("pos", "neg"))  # of the same sizes
        catalog = make_catalog(tmp_path / "store")
        shutil.rmtree(tmp_path / "store/toy")
        shutil.copytree(tmp_path / "other/toy", tmp_path / "store/toy")
        catalog.refresh()
        assert catalog.find("toy", version=None).metadata.labels == ("pos", "neg")

    def test_a_link_to_another_version(self, tmp_path: Path) -> None:
        """As Kubernetes does it: the store is a link that is put in the place of another."""
        self.publish_dated(tmp_path / "a", labels=("neg", "pos"))
        self.publish_dated(tmp_path / "b", labels=("pos", "neg"))
        (tmp_path / "store").symlink_to("a")
        catalog = make_catalog(tmp_path / "store")
        (tmp_path / "next").symlink_to("b")
        (tmp_path / "next").rename(tmp_path / "store")
        catalog.refresh()
        assert catalog.find("toy", version=None).metadata.labels == ("pos", "neg")

    def test_one_file_alone(self, tmp_path: Path) -> None:
        self.publish_dated(tmp_path, labels=("neg", "pos"))
        catalog = make_catalog(tmp_path)
        model = tmp_path / "toy/1/saved_model.pb"
        model.write_bytes(bytes(byte ^ 1 for byte in model.read_bytes()))
        os.utime(model, (0, 0))
        catalog.refresh()
        (entry,) = catalog.loaded["toy"].entries.values()
        assert entry.reason is not None
        assert "saved_model.pb" in entry.reason


class TestFaultsOfTheDisk:
    """What is loaded answers on while nobody knows what the store holds."""

    @pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EMFILE, errno.ETIMEDOUT])
    @pytest.mark.parametrize("place", [".", "toy"])
    def test_a_folder_that_cannot_be_listed(
        self, number: int, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(tmp_path)
        catalog = make_catalog(tmp_path)
        listed = Path.iterdir

        def fail(folder: Path) -> Iterator[Path]:
            if folder == tmp_path / place:
                raise OSError(number, os.strerror(number), str(folder))
            return listed(folder)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "iterdir", fail)
            with pytest.raises(OSError, match=os.strerror(number)):
                catalog.refresh()
            assert version_of(catalog) == 1
        catalog.refresh()
        assert version_of(catalog) == 1

    def test_a_model_that_may_not_be_read_any_more(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(tmp_path)
        publish(tmp_path, name="other")
        catalog = make_catalog(tmp_path)
        listed = Path.iterdir

        def refuse(folder: Path) -> Iterator[Path]:
            if folder.name == "toy":
                raise PermissionError(13, "Permission denied")
            return listed(folder)

        monkeypatch.setattr(Path, "iterdir", refuse)
        monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "toy")
        catalog.refresh()
        assert version_of(catalog, "toy") == version_of(catalog, "other") == 1

    def test_a_mount_that_is_gone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        publish(tmp_path / "mounted")
        catalog = make_catalog(tmp_path / "mounted")
        shutil.rmtree(tmp_path / "mounted/toy")
        catalog._disk = -1  # that of the mount, under which the empty folder appears
        with pytest.raises(StoreNotFound, match="is empty and on another disk than before"):
            catalog.refresh()
        assert version_of(catalog) == 1
        publish(tmp_path / "mounted")
        publish(tmp_path / "mounted")
        catalog.refresh()
        assert version_of(catalog) == 2

    def test_an_empty_store_on_its_disk_is_empty(self, tmp_path: Path) -> None:
        publish(tmp_path)
        catalog = make_catalog(tmp_path)
        shutil.rmtree(tmp_path / "toy")
        catalog.refresh()
        assert not catalog.loaded


def test_removed_versions_go_and_the_one_before_answers(tmp_path) -> None:
    publish(tmp_path)
    newer = publish(tmp_path)
    catalog = make_catalog(tmp_path)
    shutil.rmtree(newer.path)
    catalog.refresh()
    assert version_of(catalog) == 1
    shutil.rmtree(tmp_path / "toy")
    catalog.refresh()
    with pytest.raises(Unavailable, match="there is no model"):
        catalog.find(None, version=None)


def test_several_models_without_a_default_must_be_named(tmp_path) -> None:
    publish(tmp_path)
    publish(tmp_path, name="other")
    catalog = make_catalog(tmp_path)
    assert catalog.ready
    assert version_of(catalog, "other") == 1
    with pytest.raises(Invalid, match="name a model; there are: other, toy"):
        catalog.find(None, version=None)


def test_the_default_answers_when_none_is_named(tmp_path) -> None:
    publish(tmp_path)
    publish(tmp_path, name="other")
    catalog = make_catalog(tmp_path, default="other")
    assert catalog.find(None, version=None).metadata.name == "other"
    assert catalog.default == "other"


def test_a_pinned_default_stays_loaded(tmp_path) -> None:
    for _ in range(4):
        publish(tmp_path)
    catalog = make_catalog(tmp_path, default="toy:1")
    assert version_of(catalog) == 1
    assert version_of(catalog, version=4) == 4
    assert version_of(make_catalog(tmp_path, default="toy:1", keep=1), "toy") == 4


def test_models_that_are_all_broken_are_not_ready(tmp_path) -> None:
    publish(tmp_path)
    break_version(tmp_path, 1)
    other = publish(tmp_path, name="other")
    (other.path / "saved_model.pb").unlink()
    assert not make_catalog(tmp_path).ready


def test_an_engine_that_breaks_on_one_version_harms_no_other(tmp_path, monkeypatch, caplog) -> None:
    class BreakingEngine(CountingEngine):
        def predict(self, ids):
            raise RuntimeError("required inputs are missing")

    def load(version, **_):
        return BreakingEngine() if version.metadata.name == "bad" else CountingEngine()

    monkeypatch.setattr(opening, "load_engine", load)
    publish(tmp_path)
    publish(tmp_path, name="bad")
    catalog = make_catalog(tmp_path)
    assert version_of(catalog, "toy") == 1
    with pytest.raises(VersionFailed, match="engine cannot run it: required inputs are missing"):
        catalog.find("bad", version=None)


def test_why_a_preferred_engine_does_not_serve_is_logged(tmp_path, monkeypatch, caplog) -> None:
    def load(_version, *, kind, **_):
        if kind == "native":
            raise EngineUnavailable("it is not compiled")
        return CountingEngine()

    monkeypatch.setattr(opening, "load_engine", load)
    monkeypatch.setattr(Version, "verify_file", lambda *_: None)  # there is no model.onnx
    publish(tmp_path)
    with caplog.at_level(logging.INFO):
        make_catalog(tmp_path)
    (record,) = [each for each in caplog.records if "is ready" in each.message]
    assert record.message.endswith(
        "is ready with the counting engine (not native: it is not compiled)"
    )
    assert record.levelno == logging.INFO


def test_an_engine_with_wrong_answers_is_passed_over_with_a_warning(
    tmp_path, monkeypatch, caplog
) -> None:
    class WrongEngine(CountingEngine):
        def predict(self, rows):
            return super().predict(rows)[:, ::-1]

    def load(_version, *, kind, precision, **_):
        assert precision == "int8"
        return WrongEngine() if kind == "native" else CountingEngine()

    monkeypatch.setattr(opening, "load_engine", load)
    publish(tmp_path)
    catalog = Catalog(Store(tmp_path), default=None, engine="auto", precision="int8", keep=2)
    catalog.refresh()
    assert version_of(catalog) == 1
    (record,) = [each for each in caplog.records if "is ready" in each.message]
    assert "the counting engine (not native: golden probabilities of " in record.message
    assert record.levelno == logging.WARNING


def test_an_error_nobody_foresaw_harms_no_other_and_is_logged(
    tmp_path, monkeypatch, caplog
) -> None:
    publish(tmp_path)
    publish(tmp_path, name="bad")
    verify = Version.verify

    def fail(version: Version) -> None:
        if version.metadata.name == "bad":
            raise AttributeError("nobody thought of this")
        verify(version)

    monkeypatch.setattr(Version, "verify", fail)
    assert version_of(make_catalog(tmp_path), "toy") == 1
    assert "Traceback" in caplog.text


def test_what_failed_is_tried_again_after_a_while(tmp_path, monkeypatch) -> None:
    publish(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Version, "verify", lambda version: version.path.joinpath("no").stat())
        catalog = make_catalog(tmp_path)
    catalog.refresh()
    assert not catalog.ready
    monkeypatch.setattr("service.answering.entry.RETRY_SECONDS", 0)
    monkeypatch.setattr("service.answering.entry.RETRY_TIMES", 0)
    catalog.refresh()
    assert catalog.ready


@pytest.mark.parametrize(
    ("took", "ago", "waits"), [(0.1, 20, True), (0.1, 40, False), (24, 40, True), (24, 250, False)]
)
def test_what_takes_long_to_fail_is_tried_less_often(took: float, ago: float, waits: bool) -> None:
    failed = Entry(frozenset(), None, tried=time.monotonic() - ago, took=took)
    assert failed.is_current(frozenset()) == waits


def test_a_version_deleted_during_a_look_is_passed_over(tmp_path, monkeypatch) -> None:
    publish(tmp_path)
    gone = publish(tmp_path)
    monkeypatch.setattr(Store, "versions", lambda *_: [Version(gone.path.with_name("1")), gone])

    def list_inside(folder: Path) -> dict[str, os.stat_result]:
        if folder == gone.path:
            raise FileNotFoundError(folder)
        return {}

    monkeypatch.setattr("service.answering.entry.list_inside", list_inside)
    assert version_of(make_catalog(tmp_path)) == 1


def test_a_default_that_is_not_there_is_our_fault_not_the_clients(tmp_path) -> None:
    publish(tmp_path)
    catalog = make_catalog(tmp_path, default="other")
    assert not catalog.ready
    with pytest.raises(Unavailable, match="waiting for model 'other' in /.*; there are: toy"):
        catalog.find(None, version=None)
    assert version_of(catalog, "toy") == 1


class TestAwaited:
    """What is missing is told where and with what is there, and logged once."""

    @staticmethod
    def told(caplog: pytest.LogCaptureFixture) -> list[str]:
        return [message for message in caplog.messages if message.startswith("not ready")]

    def test_a_model_that_is_not_there(self, tmp_path, caplog) -> None:
        publish(tmp_path)
        publish(tmp_path, name="other")
        catalog = make_catalog(tmp_path, default="toi")
        for _ in range(3):
            catalog.refresh()
        expected = f"waiting for model 'toi' in {tmp_path}; there are: other, toy"
        assert catalog.awaited == f"{expected}; did you mean 'toy'?"
        assert self.told(caplog) == [f"not ready: {catalog.awaited}"]

    @pytest.mark.parametrize("default", ["toy", None])
    def test_an_empty_store(self, tmp_path, caplog, default: str | None) -> None:
        catalog = make_catalog(tmp_path, default=default)
        catalog.refresh()
        what = "model 'toy'" if default else "a first version"
        assert catalog.awaited == f"waiting for {what} in {tmp_path}; there is no model in it"
        assert len(self.told(caplog)) == 1

    def test_a_version_that_is_not_there(self, tmp_path) -> None:
        publish(tmp_path)
        catalog = make_catalog(tmp_path, default="toy:3")
        expected = f"waiting for toy:3 in {tmp_path}; there are: toy; its versions: 1"
        assert catalog.awaited == expected
        with pytest.raises(Unavailable, match="waiting for toy:3"):
            catalog.find(None, version=None)
        assert version_of(catalog, "toy") == 1

    @pytest.mark.parametrize("place", ["toy", "toy/1"])
    def test_a_part_of_a_store(self, tmp_path, place: str) -> None:
        publish(tmp_path)
        awaited = str(make_catalog(tmp_path / place, default="toy").awaited)
        assert awaited.endswith("it is a part of a store, so give a folder above it")

    def test_a_model_that_may_not_be_read(self, tmp_path, monkeypatch) -> None:
        publish(tmp_path, name="other")
        (tmp_path / "toy").mkdir()

        def may(path: Path, _: int) -> bool:  # root may read everything
            return path.name != "toy"

        monkeypatch.setattr("models.registry.os.access", may)
        awaited = str(make_catalog(tmp_path, default="toy").awaited)
        assert "there are: other; user " in awaited
        assert "cannot read: toy" in awaited

    @pytest.mark.parametrize("default", ["toy", "toy:1", None])
    def test_a_version_that_is_broken(self, tmp_path, default: str | None) -> None:
        publish(tmp_path)
        break_version(tmp_path, 1)
        catalog = make_catalog(tmp_path, default=default)
        assert "could not be loaded: " in str(catalog.awaited)
        assert "saved_model.pb" in str(catalog.awaited)

    def test_one_of_several_models_is_enough_without_a_default(self, tmp_path) -> None:
        publish(tmp_path)
        publish(tmp_path, name="other")
        break_version(tmp_path, 1)
        assert make_catalog(tmp_path).ready

    def test_what_comes_and_goes_is_told_again(self, tmp_path, caplog) -> None:
        caplog.set_level("INFO")
        catalog = make_catalog(tmp_path, default="toy")
        publish(tmp_path)
        catalog.refresh()
        assert catalog.ready
        shutil.rmtree(tmp_path / "toy")
        catalog.refresh()
        assert len(self.told(caplog)) == 2
        assert "ready: nothing is missing any more" in caplog.messages

    def test_a_store_that_goes_away_takes_nothing_with_it(self, tmp_path) -> None:
        publish(tmp_path / "store")
        catalog = make_catalog(tmp_path / "store")
        (tmp_path / "store").rename(tmp_path / "elsewhere")
        with pytest.raises(StoreNotFound, match="store is not there"):
            catalog.refresh()
        assert version_of(catalog) == 1
        (tmp_path / "elsewhere").rename(tmp_path / "store")
        catalog.refresh()
        assert version_of(catalog) == 1


@pytest.mark.parametrize(("asked", "near"), [("tyo", "toy"), ("TOY", "toy"), ("toy-", "toy")])
def test_a_request_for_a_model_of_nearly_a_name_is_told(tmp_path, asked: str, near: str) -> None:
    publish(tmp_path)
    with pytest.raises(NotFound, match=f"there are: toy; did you mean '{near}'"):
        make_catalog(tmp_path).find(asked, version=None)


@pytest.mark.medium
def test_an_older_look_does_not_replace_a_newer_one(tmp_path, monkeypatch) -> None:
    publish(tmp_path)
    catalog = make_catalog(tmp_path)
    listed, go_on = threading.Event(), threading.Event()
    names = Store.names

    def wait_after_the_list(store: Store) -> list[str]:
        found = names(store)
        if not listed.is_set():
            listed.set()
            assert go_on.wait(timeout=30)
        return found

    monkeypatch.setattr(Store, "names", wait_after_the_list)
    older = threading.Thread(target=catalog.refresh)
    older.start()
    assert listed.wait(timeout=30)
    publish(tmp_path, name="more")
    newer = threading.Thread(target=catalog.refresh)
    newer.start()
    newer.join(timeout=0.3)  # it waits for the older one
    go_on.set()
    for thread in (older, newer):
        thread.join(timeout=30)
    assert set(catalog.loaded) == {"toy", "more"}


class TestWhileAVersionLoads:
    """All else goes on, whether that version is the first of its model or not."""

    @pytest.fixture
    def slow(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowVersions]:
        with SlowVersions("slow", monkeypatch) as slow:
            yield slow

    def test_labels_are_followed(self, tmp_path: Path, slow: SlowVersions) -> None:
        for _ in range(2):
            publish(tmp_path)
        store = Store(tmp_path)
        give_label(store, store.resolve("toy:1"), "stable")
        catalog = make_catalog(tmp_path)
        give_label(store, store.resolve("toy:2"), "stable")
        catalog.refresh()
        publish(tmp_path, name="slow")
        with slow.loading(catalog.refresh):
            roll_back(store, "toy")
            catalog.look()
            assert version_of(catalog, "toy") == 1
            catalog.refresh("toy")  # nothing of it is to be loaded
        assert version_of(catalog, "slow") == version_of(catalog, "toy") == 1

    def test_models_answer_one_by_one_at_the_start(
        self, tmp_path: Path, slow: SlowVersions
    ) -> None:
        for name in ("slow", "slow", "toy"):
            publish(tmp_path, name=name)
        catalog = Catalog(Store(tmp_path), default="toy", engine="auto", keep=2)
        with slow.loading(catalog.refresh):
            assert version_of(catalog) == version_of(catalog, "toy", version=1) == 1
            for version in (None, 1, 2):
                with pytest.raises(Unavailable, match=r"slow(:\d)? is still being loaded"):
                    catalog.find("slow", version=version)
            with pytest.raises(NotFound, match="no version 3 of 'slow'"):
                catalog.find("slow", version=3)
            assert catalog.awaited == "the models are still being loaded"
        assert catalog.ready
        assert version_of(catalog, "slow") == 2

    def test_one_of_two_models_is_no_default(self, tmp_path: Path, slow: SlowVersions) -> None:
        for name in ("slow", "toy"):
            publish(tmp_path, name=name)
        catalog = Catalog(Store(tmp_path), default=None, engine="auto", keep=2)
        with (
            slow.loading(catalog.refresh),
            pytest.raises(Invalid, match="name a model; there are: slow, toy"),
        ):
            catalog.find(None, version=None)

    def test_the_version_before_answers(self, tmp_path: Path, slow: SlowVersions) -> None:
        slow.number = 2
        publish(tmp_path, name="slow")
        catalog = make_catalog(tmp_path, keep=1)
        publish(tmp_path, name="slow")
        with slow.loading(catalog.refresh):
            for _ in range(2):
                assert version_of(catalog) == 1
                catalog.look()
            shutil.rmtree(tmp_path / "slow/1")
            catalog.look()
            assert version_of(catalog) == 1
        assert version_of(catalog) == 2
        assert set(catalog.loaded["slow"].entries) == {2}

    def test_a_label_stays_until_its_version_answers(
        self, tmp_path: Path, slow: SlowVersions
    ) -> None:
        slow.number = 2
        for _ in range(2):
            publish(tmp_path, name="slow")
        store = Store(tmp_path)
        give_label(store, store.resolve("slow:1"), "stable")
        catalog = make_catalog(tmp_path, keep=1)
        give_label(store, store.resolve("slow:2"), "stable")
        with slow.loading(catalog.refresh):
            assert version_of(catalog) == version_of(catalog, version="stable") == 1
        assert version_of(catalog) == version_of(catalog, version="stable") == 2

    def test_other_models_go(self, tmp_path: Path, slow: SlowVersions) -> None:
        publish(tmp_path)
        catalog = make_catalog(tmp_path, default="toy")
        publish(tmp_path, name="slow")
        with slow.loading(catalog.refresh):
            shutil.rmtree(tmp_path / "toy")
            catalog.look()
            assert set(catalog.loaded) == {"slow"}

    def test_damaged_labels_are_told(self, tmp_path: Path, slow: SlowVersions) -> None:
        publish(tmp_path, name="slow")
        labels = VersionLabels().assign("canary", 1, now=datetime.now(UTC))
        labels.save(tmp_path / "slow")
        catalog = Catalog(Store(tmp_path), default=None, engine="auto", keep=2)
        with slow.loading(catalog.refresh):
            (tmp_path / "slow" / FILE).write_text("{")
            catalog.look()
            with pytest.raises(Unavailable, match="slow is still being loaded"):
                catalog.find("slow", version=None)
        (tmp_path / "slow" / FILE).unlink()
        catalog.refresh()
        assert version_of(catalog) == 1

    def test_the_stable_version_comes_first(self, tmp_path: Path, slow: SlowVersions) -> None:
        slow.number = 3
        for _ in range(3):
            publish(tmp_path, name="slow")
        store = Store(tmp_path)
        give_label(store, store.resolve("slow:1"), "stable")
        give_label(store, store.resolve("slow:3"), "canary")
        catalog = Catalog(store, default=None, engine="auto", keep=2)
        with slow.loading(catalog.refresh):
            assert version_of(catalog) == 1
            with pytest.raises(Unavailable, match=r"slow:3 \(canary\) is still being loaded"):
                catalog.find("slow", version="canary")

    def test_what_failed_before_comes_last(
        self, tmp_path: Path, slow: SlowVersions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(tmp_path, name="slow")
        with monkeypatch.context() as patch:
            patch.setattr(Version, "verify", lambda version: version.path.joinpath("no").stat())
            catalog = make_catalog(tmp_path)
        monkeypatch.setattr("service.answering.entry.RETRY_SECONDS", -1.0)
        monkeypatch.setattr("service.answering.entry.RETRY_TIMES", 0)
        publish(tmp_path)
        with slow.loading(catalog.refresh):
            assert version_of(catalog, "toy") == 1
            with pytest.raises(Unavailable, match="slow could not be loaded: .*/no"):
                catalog.find("slow", version=None)


class TestLabels:
    """Where a model has labels, only they move traffic."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        for _ in range(4):
            publish(tmp_path)
        return Store(tmp_path)

    @staticmethod
    def give(store: Store, number: int, label: str) -> None:
        give_label(store, store.resolve(f"toy:{number}"), label)

    def test_the_stable_version_answers(self, store: Store) -> None:
        self.give(store, 2, "stable")
        self.give(store, 3, "canary")
        catalog = make_catalog(store.root)
        assert version_of(catalog) == version_of(catalog, "toy", version="stable") == 2
        assert version_of(catalog, "toy", version="canary") == 3
        assert set(catalog.loaded["toy"].entries) == {2, 3}
        with pytest.raises(
            NotFound, match="no version of 'toy' is 'best'; its labels: stable, can"
        ):
            catalog.find("toy", version="best")

    def test_a_new_version_moves_nothing(self, store: Store) -> None:
        self.give(store, 4, "stable")
        catalog = make_catalog(store.root)
        publish(store.root)
        catalog.refresh()
        assert version_of(catalog) == 4
        assert set(catalog.loaded["toy"].entries) == {4}
        take_label(store, "toy", "stable")
        catalog.refresh()
        assert version_of(catalog) == 5

    def test_forward_and_back(self, store: Store, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        self.give(store, 1, "stable")
        self.give(store, 2, "canary")
        catalog = make_catalog(store.root)
        promote(store, "toy")
        catalog.refresh()
        assert version_of(catalog) == 2
        assert set(catalog.loaded["toy"].entries) == {2, 1}  # for clients of the last
        roll_back(store, "toy")
        catalog.refresh()
        assert version_of(catalog) == 1
        catalog.refresh()
        assert set(catalog.loaded["toy"].entries) == {1}  # what is left takes no memory
        moves = [line for line in caplog.messages if " is stable" in line]
        assert moves == ["toy:1 is stable", "toy:2 is stable", "toy:1 is stable"]

    def test_a_label_moves_when_its_version_works(self, store: Store) -> None:
        self.give(store, 1, "stable")
        catalog = make_catalog(store.root, keep=1)
        self.give(store, 2, "stable")
        whole = (store.root / "toy/2/saved_model.pb").read_bytes()
        break_version(store.root, 2)
        for _ in range(2):
            catalog.refresh()
            assert version_of(catalog) == 1
            assert catalog.loaded["toy"].labels == {"stable": 1}
        (store.root / "toy/2/saved_model.pb").write_bytes(whole)
        catalog.refresh()
        assert version_of(catalog) == 2

    def test_a_stable_version_that_does_not_work_is_told(self, store: Store) -> None:
        self.give(store, 2, "stable")
        break_version(store.root, 2)
        catalog = make_catalog(store.root)
        assert not catalog.ready
        with pytest.raises(
            VersionFailed, match=r"toy:2 \(stable\) could not be loaded: .*saved_model"
        ):
            catalog.find("toy", version=None)

    def test_a_stable_version_that_is_gone_is_told(self, store: Store) -> None:
        self.give(store, 2, "stable")
        shutil.rmtree(store.root / "toy/2")
        catalog = make_catalog(store.root)
        publish(store.root)
        self.give(store, 3, "other")
        catalog.refresh()
        with pytest.raises(
            VersionFailed, match="toy:stable is version 2, which is not in the store"
        ):
            catalog.find("toy", version=None)

    def test_damaged_labels_move_nothing(
        self, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.give(store, 2, "stable")
        catalog = make_catalog(store.root)
        (store.root / "toy" / FILE).write_text("{")
        for _ in range(3):
            catalog.refresh()
        assert version_of(catalog) == 2
        (line,) = [line for line in caplog.messages if "labels of toy" in line]
        assert "labels.json: not a file of labels" in line
        (store.root / "toy" / FILE).unlink()
        catalog.refresh()
        assert version_of(catalog) == 4

    def test_labels_that_were_never_read_let_nobody_answer(self, store: Store) -> None:
        (store.root / "toy" / FILE).write_text("{")
        catalog = make_catalog(store.root)
        assert not catalog.ready
        with pytest.raises(VersionFailed, match="not known which version of toy answers: .*labels"):
            catalog.find("toy", version=None)

    def test_a_default_with_a_label_is_awaited(self, store: Store) -> None:
        catalog = make_catalog(store.root, default="toy:best")
        assert catalog.awaited is not None
        assert "waiting for toy:best" in catalog.awaited
        self.give(store, 1, "stable")
        self.give(store, 3, "best")
        catalog.refresh()
        assert version_of(catalog) == 3
        assert version_of(catalog, version="stable") == 1

    def test_a_share_of_the_traffic(self, store: Store) -> None:
        self.give(store, 1, "stable")
        give_label(store, store.resolve("toy:2"), "canary", share=0.1)
        give_label(store, store.resolve("toy:3"), "other", share=0.3)
        catalog = make_catalog(store.root)

        def ask(number: int, **named: Which) -> int:
            asked = {"version": None} | named
            return catalog.find("toy", request=b"%d" % number, **asked).metadata.version

        found = [ask(number) for number in range(4_000)]
        assert found == [ask(number) for number in range(4_000)]  # a retry comes to the same
        shares = [found.count(number) / len(found) for number in (1, 2, 3)]
        assert shares == pytest.approx([0.6, 0.1, 0.3], abs=0.03)
        assert {ask(number, version="stable") for number in range(50)} == {1}
        assert {ask(number, version=4 - 2) for number in range(50)} == {2}
        assert version_of(catalog, "toy") == 1  # where there is no id

    def test_the_share_of_what_does_not_work_is_that_of_stable(self, store: Store) -> None:
        self.give(store, 1, "stable")
        give_label(store, store.resolve("toy:2"), "canary", share=0.5)
        break_version(store.root, 2)
        catalog = make_catalog(store.root)
        for number in range(50):
            assert catalog.find("toy", version=None, request=b"%d" % number).metadata.version == 1
