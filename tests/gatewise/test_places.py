"""Where a user's versions are, and how they come there."""

import os
from pathlib import Path

import pytest

from gatewise import places


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in (places.STORE, places.WORK):
        monkeypatch.setenv(variable, "")  # so that it is put back afterwards
        monkeypatch.delenv(variable)
    shipped = tmp_path / "shipped"
    (shipped / "a-model/1").mkdir(parents=True)
    monkeypatch.setattr(places, "_SHIPPED", shipped)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data/gatewise"


def test_a_user_has_a_store_and_a_place_for_checkpoints(home: Path) -> None:
    places.choose_places()
    assert os.environ[places.STORE] == str(home / "store")
    assert os.environ[places.WORK] == str(home / "runs")


def test_a_store_that_is_named_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(places.STORE, str(tmp_path / "mine"))
    places.choose_places()
    assert places.fill_store() is None
    assert os.environ[places.STORE] == str(tmp_path / "mine")


def test_a_clone_keeps_its_own(tmp_path: Path, home: Path) -> None:
    (tmp_path / "models/store").mkdir(parents=True)
    places.choose_places()
    assert places.STORE not in os.environ
    assert places.fill_store() is None
    assert not home.exists()


def test_it_is_filled_once(home: Path) -> None:
    places.choose_places()
    assert places.fill_store() == home / "store"
    assert os.listdir(home / "store") == ["a-model"]
    assert places.fill_store() is None
    assert os.listdir(home) == ["store"]  # no scratch is left


def test_of_two_that_fill_it_one_does(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places.choose_places()
    rename = Path.rename

    def be_slower(copy: Path, store: Path) -> Path:
        (store / "a-model/1").mkdir(parents=True)
        return rename(copy, store)

    monkeypatch.setattr(Path, "rename", be_slower)
    assert places.fill_store() is None
    assert os.listdir(home / "store") == ["a-model"]


def test_a_home_that_takes_nothing_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places.choose_places()
    home.parent.write_text("no folder")
    with pytest.raises(OSError, match="data"):
        places.fill_store()


def test_the_store_of_another_command_is_not_awaited(home: Path, tmp_path: Path) -> None:
    places.choose_places()
    assert places.fill_store(tmp_path / "mine") is None
    assert not home.exists()
    assert places.awaits_filling(home / "store")
    assert places.fill_store(home / "store") == home / "store"
    assert not places.awaits_filling()
