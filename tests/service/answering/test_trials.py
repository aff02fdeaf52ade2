"""Which requests a version on trial answers, and which only a copy of."""

from collections import Counter
from pathlib import Path

import pytest

from models.registry import Store
from models.steering import give_label, take_label
from models.version_labels import FILE
from models.versions import METADATA
from service.answering.catalog import Catalog
from service.answering.trials import Choice, Trial
from tests.service.slow_versions import SlowVersions
from tests.versions import publish

REQUESTS = [b"%d" % number for number in range(2_000)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three versions of a model, the first of which is stable."""
    for _ in range(3):
        publish(tmp_path)
    store = Store(tmp_path)
    give_label(store, store.resolve("toy:1"), "stable")
    return store


@pytest.fixture
def catalog(store: Store) -> Catalog:
    return Catalog(store, default=None, engine="auto", keep=2)


def give(store: Store, number: int, label: str = "canary", **parts: float) -> None:
    give_label(store, store.resolve(f"toy:{number}"), label, **parts)


def choose(catalog: Catalog, request: bytes = b"1", **asked) -> Choice:
    return catalog.choose("toy", **{"version": None, "request": request} | asked)


def count(catalog: Catalog) -> Counter[tuple[int, str | None]]:
    """Return how often each version answers, and which label's other side reads a copy."""
    choices = [choose(catalog, request) for request in REQUESTS]
    return Counter(
        (each.classifier.metadata.version, each.copied and each.copied.label) for each in choices
    )


def only_trial(catalog: Catalog) -> Trial:
    (trial,) = catalog.trials
    return trial


def test_of_what_a_share_answers_stable_reads_a_copy(store: Store, catalog: Catalog) -> None:
    give(store, 2, share=0.1)
    catalog.refresh()
    found = count(catalog)
    assert set(found) == {(1, None), (2, "canary")}
    assert found[2, "canary"] / len(REQUESTS) == pytest.approx(0.1, abs=0.03)
    assert not only_trial(catalog).shadow


def test_of_what_stable_answers_a_shadow_reads_a_copy(store: Store, catalog: Catalog) -> None:
    give(store, 2, shadow=0.1)
    catalog.refresh()
    found = count(catalog)
    assert set(found) == {(1, None), (1, "canary")}
    assert found[1, "canary"] / len(REQUESTS) == pytest.approx(0.1, abs=0.03)
    give(store, 2, shadow=1.0)
    catalog.refresh()
    assert set(count(catalog)) == {(1, "canary")}


def test_share_and_shadow_take_the_same_requests(store: Store, catalog: Catalog) -> None:
    copied = []
    for parts in ({"share": 0.1}, {"shadow": 0.1}):
        give(store, 2, **parts)
        catalog.refresh()
        copied.append([choose(catalog, request).copied is not None for request in REQUESTS])
    assert copied[0] == copied[1]


def test_several_labels_are_tried_beside_each_other(store: Store, catalog: Catalog) -> None:
    give(store, 2, share=0.2)
    give(store, 3, "blue", shadow=0.3)
    catalog.refresh()
    assert set(count(catalog)) == {(1, None), (2, "canary"), (1, "blue")}
    (stable,) = {choice for each in REQUESTS if not (choice := choose(catalog, each)).copied}
    assert {trial.label for trial in stable.trials} == {"canary", "blue"}


@pytest.mark.parametrize("asked", [{"version": 2}, {"version": "canary"}, {"request": None}])
def test_what_names_a_version_is_no_trial(store: Store, catalog: Catalog, asked: dict) -> None:
    give(store, 2, share=0.99)
    catalog.refresh()
    choice = choose(catalog, **asked)
    assert (choice.trials, choice.copied) == ((), None)


def test_a_version_that_does_not_work_is_not_tried(store: Store, catalog: Catalog) -> None:
    (store.root / "toy/2/assets.extra/golden.json").write_text("broken")
    labels = store.labels("toy").assign(
        "canary", 2, now=store.labels("toy").history("stable")[0].since
    )
    labels.shadow("canary", 1.0).save(store.root / "toy")
    catalog.refresh()
    assert catalog.trials == []
    assert set(count(catalog)) == {(1, None)}


def test_the_stable_version_is_not_tried_beside_itself(store: Store, catalog: Catalog) -> None:
    give(store, 1, share=0.5)
    catalog.refresh()
    assert catalog.trials == []
    assert set(count(catalog)) == {(1, None)}


@pytest.mark.parametrize(
    ("outcome", "parts", "answers"),
    [
        ("rolled_back", {"share": 0.5}, 1),
        ("rolled_back", {"shadow": 0.5}, 1),
        ("promoted", {"share": 0.5}, 2),
        ("promoted", {"shadow": 0.5}, 2),
    ],
)
def test_a_decision_holds_until_the_labels_change(
    outcome, parts: dict[str, float], answers: int, store: Store, catalog: Catalog
) -> None:
    give(store, 2, **parts)
    catalog.refresh()
    catalog.decide(only_trial(catalog), outcome)
    for _ in range(2):
        assert set(count(catalog)) == {(answers, None)}
        assert choose(catalog, version="canary").classifier.metadata.version == 2
        catalog.refresh()
    file = store.root / "toy" / FILE
    labels = file.read_bytes()
    give(store, 3)
    catalog.refresh()
    assert len(count(catalog)) == 2
    file.write_bytes(labels)
    catalog.refresh()
    assert len(count(catalog)) == 2  # it is forgotten, not waiting


@pytest.mark.parametrize("change", ["canary", "stable", "given again", "files"])
def test_a_trial_ends_when_a_side_of_it_changes(
    change: str, store: Store, catalog: Catalog
) -> None:
    give(store, 2, share=0.5)
    catalog.refresh()
    before = only_trial(catalog).key
    catalog.refresh()
    assert only_trial(catalog).key == before
    if change in ("canary", "stable"):
        give(store, 3, change)
    elif change == "given again":
        take_label(store, "toy", "canary")
        give(store, 2, share=0.5)
    else:
        version = store.resolve("toy:2")
        changed = version.metadata.model_copy(update={"git_commit": "another"})
        changed.save(version.path / METADATA)
    catalog.refresh()
    assert only_trial(catalog).key != before


def test_a_decision_holds_while_the_next_version_is_loaded(
    store: Store, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(store, 2, share=0.5)
    catalog.refresh()
    catalog.decide(only_trial(catalog), "rolled_back")
    before = only_trial(catalog).key
    give(store, 3)
    with SlowVersions("toy", monkeypatch) as slow, slow.loading(catalog.refresh):
        assert set(count(catalog)) == {(1, None)}
        assert only_trial(catalog).key == before
    assert set(count(catalog)) == {(1, None), (3, "canary")}


def test_a_trial_ends_when_one_side_moves_before_the_other_can(
    store: Store, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(store, 3, "stable")
    give(store, 1, "stable")
    give(store, 2, share=0.5)
    catalog.refresh()
    assert set(catalog.loaded["toy"].entries) == {1, 2, 3}
    publish(store.root)
    give(store, 4)
    with SlowVersions("toy", monkeypatch) as slow, slow.loading(catalog.refresh):
        give(store, 3, "stable")
        catalog.look()
        assert catalog.trials == []
        assert set(count(catalog)) == {(2, None), (3, None)}
    assert only_trial(catalog).stable.metadata.version == 3


def test_another_share_goes_on_with_the_trial(store: Store, catalog: Catalog) -> None:
    give(store, 2, share=0.1)
    catalog.refresh()
    before = only_trial(catalog).key
    give(store, 2, share=0.5)
    catalog.refresh()
    assert only_trial(catalog).key == before
    assert only_trial(catalog).part == 0.5


def test_a_damaged_file_of_labels_changes_no_trial(store: Store, catalog: Catalog) -> None:
    give(store, 2, share=0.5)
    catalog.refresh()
    before = count(catalog)
    (store.root / "toy" / FILE).write_text("broken")
    catalog.refresh()
    assert count(catalog) == before
