import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from models import atomic, registry
from models.errors import CannotSteer, ModelNotFound
from models.locks import claim
from models.registry import Store
from models.steering import give_label, roll_back
from models.version_labels import FILE
from models.versions import METADATA, Version
from tests.versions import publish


def test_a_store_without_a_folder_is_empty(tmp_path) -> None:
    store = Store(tmp_path / "nowhere")
    assert store.names() == []
    assert store.versions("toy") == []
    with pytest.raises(ModelNotFound, match="no model 'toy' in .*; there are: none"):
        store.resolve("toy")


def test_published_versions_are_numbered_and_found(tmp_path) -> None:
    store = Store(tmp_path)
    numbers = [publish(tmp_path).number for _ in range(11)]
    assert numbers == list(range(1, 12))
    assert store.names() == ["toy"]
    assert [version.number for version in store.versions("toy")] == numbers  # 10 after 9, not 1
    assert store.resolve("toy").number == 11
    assert store.resolve("toy:2").number == 2


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("other", "no model 'other' in .*; there are: toy"),
        ("toy:9", "model 'toy' has no version '9'; there are: 1"),
        ("toy:01", "no version '01'"),
        ("toy:x", "no version 'x'"),
        ("../toy", "no model"),
        ("", "no model ''"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(reference: str, message: str, tmp_path) -> None:
    publish(tmp_path)
    with pytest.raises(ModelNotFound, match=message):
        Store(tmp_path).resolve(reference)


def test_other_folders_are_no_versions(tmp_path) -> None:
    publish(tmp_path)
    for name in ("0", "-1", "1.0", "latest", ".staging-x", "٣"):
        (tmp_path / "toy" / name).mkdir()
    (tmp_path / "toy" / "7").write_text("a file")
    (tmp_path / "README.md").write_text("a file")
    (tmp_path / "empty").mkdir()
    store = Store(tmp_path)
    assert store.names() == ["toy"]
    assert [version.number for version in store.versions("toy")] == [1]


def test_a_published_version_can_be_read_by_other_users(tmp_path) -> None:
    version = publish(tmp_path)
    assert version.path.stat().st_mode & 0o777 == 0o755
    assert (version.path / METADATA).stat().st_mode & 0o777 == 0o644


def test_folders_of_the_store_can_be_reached_by_other_users(tmp_path) -> None:
    before = os.umask(0o077)
    try:
        (tmp_path / "own").mkdir()
        version = publish(tmp_path / "own" / "store")
        with Store(tmp_path / "own" / "store").resuming(
            "other", key="a", busy=CannotSteer(), wait=print
        ) as folder:
            parent = folder.parent
    finally:
        os.umask(before)
    folders = (tmp_path / "own", tmp_path / "own" / "store", version.path.parent, parent)
    assert [each.stat().st_mode & 0o777 for each in folders] == [0o700, 0o755, 0o755, 0o755]


def test_the_names_of_new_folders_are_on_disk(tmp_path, monkeypatch) -> None:
    synced = []
    monkeypatch.setattr(atomic, "sync", synced.append)
    publish(tmp_path / "store")
    assert synced[:2] == [tmp_path, tmp_path / "store"]


def test_a_training_that_fails_leaves_nothing(tmp_path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError, match="stopped"), store.staging("toy") as folder:
        (folder / "half").write_text("written")
        assert store.names() == []
        raise RuntimeError("stopped")
    assert list(tmp_path.iterdir()) == []


def test_a_number_taken_meanwhile_is_passed_over(tmp_path, monkeypatch) -> None:
    first = publish(tmp_path)
    seen: list[list[Version]] = [[], [first]]
    monkeypatch.setattr(Store, "versions", lambda *_: seen.pop(0))
    second = publish(tmp_path)
    assert second.number == 2
    assert second.metadata.version == 2
    first.verify()
    second.verify()


@pytest.mark.medium
def test_many_publish_at_once(tmp_path) -> None:
    # An executor lets its processes end by themselves; a pool kills them, and one that is just
    # then saving its coverage never ends.
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as processes:
        versions = list(processes.map(publish, [tmp_path] * 12))
    assert sorted(version.number for version in versions) == list(range(1, 13))
    for version in versions:
        version.verify()


def test_a_store_that_cannot_be_written_says_so(tmp_path) -> None:
    (tmp_path / "toy").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="toy"):
        publish(tmp_path)


def test_prune_keeps_the_newest(tmp_path) -> None:
    for _ in range(4):
        publish(tmp_path)
    store = Store(tmp_path)
    assert store.prune("toy", keep=2) == [1, 2]
    assert [version.number for version in store.versions("toy")] == [3, 4]
    assert sorted(path.name for path in (tmp_path / "toy").iterdir()) == ["3", "4"]
    assert store.prune("toy", keep=2) == []
    assert publish(tmp_path).number == 5


def test_prune_of_a_model_that_is_not_there_says_so(tmp_path) -> None:
    with pytest.raises(ModelNotFound, match="no model 'typo'"):
        Store(tmp_path).prune("typo", keep=1)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_prune_has_left_is_in_nobodys_way(tmp_path, monkeypatch) -> None:
    store = Store(tmp_path)
    first, _ = publish(tmp_path), publish(tmp_path)
    copy = shutil.copytree(first.path, tmp_path / "copy")

    def be_killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(registry.shutil, "rmtree", be_killed)
        store.prune("toy", keep=1)
    assert [version.number for version in store.versions("toy")] == [2]
    copy.rename(first.path)  # as pulled again
    assert store.prune("toy", keep=1) == [1]
    monkeypatch.setattr(registry, "ABANDONED_SECONDS", -1.0)
    store.prune("toy", keep=1)
    assert [path.name for path in (tmp_path / "toy").iterdir()] == ["2"]


def test_a_number_whose_place_is_taken_by_a_file_is_passed_over(tmp_path) -> None:
    publish(tmp_path)
    (tmp_path / "toy" / "2").write_text("a file")
    assert publish(tmp_path).number == 3


def test_folders_that_are_no_models_are_passed_over(tmp_path) -> None:
    publish(tmp_path)
    for name in ("lost+found", "UPPER", ".hidden"):
        (tmp_path / name / "1").mkdir(parents=True)
    assert Store(tmp_path).names() == ["toy"]


def test_prune_refuses_to_keep_none(tmp_path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Store(tmp_path).prune("toy", keep=0)


@pytest.mark.parametrize(("asked", "near"), [("tyo", "toy"), ("TOY:1", "toy"), ("toys", "toy")])
def test_a_model_of_nearly_that_name_is_suggested(asked: str, near: str, tmp_path) -> None:
    publish(tmp_path)
    with pytest.raises(ModelNotFound, match=rf"there are: toy; did you mean '{near}'\?"):
        Store(tmp_path).resolve(asked)


def test_a_store_that_can_be_read_passes_its_check(tmp_path) -> None:
    Store(tmp_path).check()
    (tmp_path / "link").symlink_to(tmp_path)
    Store(tmp_path / "link").check()


class TestNumbers:
    """No version takes the number of a deleted one that the labels know."""

    @staticmethod
    def adopt(store: Store, *, number: int | None = None) -> int:
        with store.staging("toy") as folder:
            version = store.adopt(folder, name="toy", stamp=lambda _: None, number=number)
            return version.number

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        """A store with version 3, and with versions 1 and 2 deleted, of which 1 was stable."""
        store = Store(tmp_path)
        for _ in range(3):
            publish(tmp_path)
        for number in (1, 3, 1, 3):
            give_label(store, store.resolve(f"toy:{number}"), "stable")
        for number in (1, 2):
            shutil.rmtree(tmp_path / "toy" / str(number))
        return store

    def test_one_that_was_stable(self, store: Store) -> None:
        assert self.adopt(store, number=1) == 4
        with pytest.raises(CannotSteer, match="none of them is in the store"):
            roll_back(store, "toy")

    def test_one_that_nobody_knows_is_free(self, store: Store) -> None:
        assert self.adopt(store, number=2) == 2

    def test_one_that_was_the_newest(self, store: Store) -> None:
        shutil.rmtree(store.root / "toy" / "3")
        assert self.adopt(store) == 4

    def test_with_damaged_labels_there_is_a_number_all_the_same(self, store: Store) -> None:
        (store.root / "toy" / FILE).write_text("{")
        assert self.adopt(store, number=2) == 4


class TestAbandoned:
    """What a writer leaves that was killed."""

    @staticmethod
    def leave(store: Store, monkeypatch: pytest.MonkeyPatch, *, age: float = 4_000.0) -> Path:
        folder = store.root / "toy/.staging-left"
        (folder / "variables").mkdir(parents=True)
        monkeypatch.setattr(registry.time, "time", lambda: folder.stat().st_ctime + age)
        return folder

    def test_the_next_writer_deletes_it(self, tmp_path, monkeypatch) -> None:
        left = self.leave(Store(tmp_path), monkeypatch)
        with Store(tmp_path).staging("toy"):
            assert not left.exists()

    def test_pruning_deletes_it(self, tmp_path, monkeypatch) -> None:
        publish(tmp_path)
        left = self.leave(Store(tmp_path), monkeypatch)
        Store(tmp_path).prune("toy", keep=1)
        assert not left.exists()

    def test_what_is_worked_in_stays(self, tmp_path, monkeypatch) -> None:
        left = self.leave(Store(tmp_path), monkeypatch)
        with claim(left), Store(tmp_path).staging("toy"):
            assert left.exists()

    def test_what_has_just_been_made_stays(self, tmp_path, monkeypatch) -> None:
        """Its writer may be about to claim it."""
        left = self.leave(Store(tmp_path), monkeypatch, age=60.0)
        with Store(tmp_path).staging("toy"):
            assert left.exists()
