"""Labels move between versions, one change after the other, and only to sound versions."""

import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from models import registry
from models.errors import CannotSteer, ModelNotFound, VersionCorrupt
from models.locks import lock
from models.registry import Store
from models.steering import conclude, give_label, promote, roll_back, take_label
from models.version_labels import FILE, Outcome, Verdict
from models.versions import Version
from tests.versions import publish


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three versions of a model."""
    for _ in range(3):
        publish(tmp_path)
    return Store(tmp_path)


def give(store: Store, number: int, label: str) -> None:
    give_label(store, store.resolve(f"toy:{number}"), label)


def labels(store: Store) -> dict[str, int]:
    return store.labels("toy").versions


def test_the_stable_version_is_what_a_name_means(store: Store) -> None:
    assert store.resolve("toy").number == 3
    give(store, 1, "stable")
    give(store, 2, "canary")
    assert store.resolve("toy").number == store.resolve("toy:stable").number == 1
    assert store.resolve("toy:canary").number == 2
    publish(store.root)
    assert store.resolve("toy").number == 1
    assert store.resolve("toy:4").number == 4
    with pytest.raises(
        ModelNotFound, match="no version 'best'; there are: 1, 2, 3, 4, stable, can"
    ):
        store.resolve("toy:best")


def test_the_canary_is_promoted(store: Store) -> None:
    give(store, 1, "stable")
    give(store, 3, "canary")
    assert promote(store, "toy") == 3
    assert labels(store) == {"stable": 3}
    with pytest.raises(CannotSteer, match="no version of toy is canary; its labels: stable"):
        promote(store, "toy")


def test_it_goes_back_step_by_step(store: Store) -> None:
    for number in (1, 2, 3):
        give(store, number, "stable")
    assert roll_back(store, "toy") == (3, 2)
    assert roll_back(store, "toy") == (2, 1)
    with pytest.raises(CannotSteer, match="nothing to go back to: stable had no other before 1"):
        roll_back(store, "toy")
    assert labels(store) == {"stable": 1}
    give(store, 3, "stable")
    assert roll_back(store, "toy") == (3, 1)


def test_it_does_not_go_back_to_what_is_gone(store: Store) -> None:
    for number in (1, 2, 3):
        give(store, number, "stable")
    store.resolve("toy:2").path.rename(store.root / "aside")
    assert roll_back(store, "toy") == (3, 1)
    give(store, 3, "stable")
    store.resolve("toy:1").path.rename(store.root / "aside2")
    with pytest.raises(CannotSteer, match="stable had 1 before 3; none of them is in the store"):
        roll_back(store, "toy")


def test_another_label_goes_back_too(store: Store) -> None:
    give(store, 1, "stable")
    give(store, 2, "canary")
    give(store, 3, "canary")
    assert roll_back(store, "toy", label="canary") == (3, 2)
    assert labels(store) == {"stable": 1, "canary": 2}


def test_stable_comes_first_and_goes_last(store: Store) -> None:
    with pytest.raises(CannotSteer, match="no version that is stable, so its newest one answers"):
        give(store, 3, "canary")
    give(store, 1, "stable")
    give(store, 3, "canary")
    with pytest.raises(CannotSteer, match="stable goes last.*first take away: canary"):
        take_label(store, "toy", "stable")
    assert take_label(store, "toy", "canary") == 3
    assert take_label(store, "toy", "stable") == 1
    assert not (store.root / "toy" / FILE).exists()
    assert store.resolve("toy").number == 3


def test_a_damaged_version_gets_no_label(store: Store) -> None:
    give(store, 1, "stable")
    give(store, 2, "canary")
    (store.root / "toy/2/saved_model.pb").write_bytes(b"broken!")
    with pytest.raises(VersionCorrupt, match="saved_model.pb"):
        promote(store, "toy")
    with pytest.raises(VersionCorrupt, match="saved_model.pb"):
        give(store, 2, "other")
    give(store, 3, "stable")
    (store.root / "toy/1/saved_model.pb").write_bytes(b"broken!")
    with pytest.raises(VersionCorrupt, match="saved_model.pb"):
        roll_back(store, "toy")
    assert labels(store) == {"stable": 3, "canary": 2}


@pytest.mark.parametrize("label", ["", "3", "Stable", "a b", "a" * 33, "-a", "sta:ble"])
def test_what_is_no_label(label: str, store: Store) -> None:
    with pytest.raises(ValueError, match="is no label: 1 to 32 of a-z"):
        give(store, 1, label)


def test_versions_in_use_are_not_pruned(store: Store) -> None:
    for number in (1, 2):
        give(store, number, "stable")
    for _ in range(3):
        publish(store.root)
    give(store, 4, "canary")
    assert store.prune("toy", keep=1) == [3, 5]
    assert [version.number for version in store.versions("toy")] == [1, 2, 4, 6]
    assert roll_back(store, "toy") == (2, 1)


def test_a_version_that_is_pruned_while_it_is_verified_gets_no_label(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(store, 3, "stable")
    verify = Version.verify

    def prune_after(version: Version) -> None:
        verify(version)
        store.prune("toy", keep=1)

    monkeypatch.setattr(Version, "verify", prune_after)
    with pytest.raises(ModelNotFound, match="has no version '1'; there are: 3"):
        give(store, 1, "stable")
    assert labels(store) == {"stable": 3}


def test_labels_that_move_while_prune_waits_are_heeded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(store, 3, "stable")

    @contextmanager
    def wait(path: Path, **options: Any) -> Iterator[None]:
        monkeypatch.setattr(registry, "lock", lock)
        give(store, 1, "stable")
        with lock(path, **options):
            yield

    monkeypatch.setattr(registry, "lock", wait)
    assert store.prune("toy", keep=1) == [2]
    assert labels(store) == {"stable": 1}


def _give_from_another_process(root: Path, number: int) -> None:
    store = Store(root)
    give(store, 1 + number % 3, f"label-{number}")


@pytest.mark.medium
def test_changes_at_the_same_time_are_all_kept(store: Store) -> None:
    give(store, 1, "stable")
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        list(pool.map(_give_from_another_process, [store.root] * 12, range(12)))
    expected = {f"label-{number}": 1 + number % 3 for number in range(12)}
    assert labels(store) == {"stable": 1} | expected
    assert not (store.root / "toy" / registry.LABELS_LOCK).exists()


def test_a_change_waits_for_another_only_so_long(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PATIENCE", 0.1)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock(store.root / "toy" / registry.LABELS_LOCK, busy=CannotSteer("")):
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        with pytest.raises(CannotSteer, match="another process is changing the labels of toy"):
            give(store, 1, "stable")
        with pytest.raises(CannotSteer, match="another process is changing the labels of toy"):
            store.prune("toy", keep=1)
    finally:
        done.set()
        thread.join()
    give(store, 1, "stable")


def test_a_change_that_cannot_be_written_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(store, 1, "stable")
    before = (store.root / "toy" / FILE).read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models.atomic.os.replace", fail)
    with pytest.raises(OSError, match="No space left"):
        give(store, 2, "stable")
    assert (store.root / "toy" / FILE).read_bytes() == before
    assert sorted(p.name for p in (store.root / "toy").iterdir()) == ["1", "2", "3", FILE]


def test_a_label_can_have_a_share_of_the_traffic(store: Store) -> None:
    give(store, 1, "stable")
    give_label(store, store.resolve("toy:2"), "canary", share=0.6)
    give(store, 3, "canary")  # which keeps its share
    assert store.labels("toy").shares == {"canary": 0.6}
    with pytest.raises(CannotSteer, match="shares would come to 110%, and nothing would be left"):
        give_label(store, store.resolve("toy:2"), "other", share=0.5)
    with pytest.raises(CannotSteer, match="stable has what the others leave"):
        give_label(store, store.resolve("toy:2"), "stable", share=0.5)
    give_label(store, store.resolve("toy:2"), "other", share=0.3)
    promote(store, "toy")
    assert store.labels("toy").shares == {"other": 0.3}
    give_label(store, store.resolve("toy:2"), "other", share=0)
    assert store.labels("toy").shares == {}


def test_a_label_can_have_a_shadow(store: Store) -> None:
    give(store, 1, "stable")
    give_label(store, store.resolve("toy:2"), "canary", shadow=1.0)
    assert store.labels("toy").shadows == {"canary": 1.0}
    with pytest.raises(CannotSteer, match="shares and shadows would come to 150% of the traffic"):
        give_label(store, store.resolve("toy:3"), "other", share=0.5)
    give_label(store, store.resolve("toy:2"), "canary", share=0.5)  # in place of the shadow
    assert (store.labels("toy").shares, store.labels("toy").shadows) == ({"canary": 0.5}, {})
    with pytest.raises(CannotSteer, match="stable has what the others leave"):
        give_label(store, store.resolve("toy:1"), "stable", shadow=0.1)


def judge(store: Store, outcome: Outcome) -> tuple[Verdict, tuple[datetime, datetime]]:
    """Return a verdict about the canary, and when the labels were given that it is about."""
    history = store.labels("toy").history
    canary, stable = history("canary")[-1], history("stable")[-1]
    verdict = Verdict(
        label="canary",
        version=canary.version,
        stable=stable.version,
        outcome=outcome,
        at=datetime.now(UTC),
        why="it flips",
    )
    return verdict, (canary.since, stable.since)


@pytest.mark.parametrize(("outcome", "stable"), [("rolled_back", 1), ("promoted", 2)])
def test_a_verdict_is_done_once(store: Store, outcome: Outcome, stable: int) -> None:
    give(store, 1, "stable")
    give_label(store, store.resolve("toy:2"), "canary", share=0.5)
    verdict, since = judge(store, outcome)
    done = [conclude(store, "toy", verdict, since=since) for _ in range(2)]
    assert done == [True, False]
    assert labels(store) == {"stable": stable}
    assert store.labels("toy").verdicts == (verdict,)


@pytest.mark.parametrize("moved", ["canary", "stable", "canary given again"])
def test_a_verdict_about_labels_that_have_moved_does_nothing(store: Store, moved: str) -> None:
    give(store, 1, "stable")
    give(store, 2, "canary")
    verdict, since = judge(store, "promoted")
    if moved == "canary given again":  # after which its evidence is to be collected anew
        take_label(store, "toy", "canary")
        give(store, 2, "canary")
    else:
        give(store, 3, moved)
    before = store.labels("toy")
    assert not conclude(store, "toy", verdict, since=since)
    assert store.labels("toy") == before


def test_a_damaged_version_is_not_promoted_by_a_verdict(store: Store) -> None:
    give(store, 1, "stable")
    give(store, 2, "canary")
    verdict, since = judge(store, "promoted")
    (store.root / "toy/2/saved_model.pb").write_bytes(b"broken!")
    with pytest.raises(VersionCorrupt):
        conclude(store, "toy", verdict, since=since)
    assert labels(store) == {"stable": 1, "canary": 2}
