"""A version travels as bytes, and only whole and unchanged."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.errors import VersionCorrupt
from models.registry import Store
from models.versions import TOKENIZER, Version
from service.scoring.shipped_version import VersionPlace, pack
from tests.versions import publish


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Version:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    publish(tmp_path / "store")
    return Store(tmp_path / "store").resolve("toy")


def test_a_machine_with_the_store_reads_it_there(version: Version) -> None:
    found = VersionPlace.of(version).find()
    assert found is not None
    assert found.path == version.path


def test_a_machine_without_it_unpacks_it_once(version: Version) -> None:
    place, files = VersionPlace.of(version), pack(version)
    version.path.rename(version.path.with_name("gone"))
    assert place.find() is None
    unpacked = place.unpack(files)
    assert unpacked.reference == "toy:1"
    assert pack(unpacked) == files
    assert place.unpack({}).path == unpacked.path  # nothing is written again
    found = place.find()
    assert found is not None
    assert found.path == unpacked.path


def test_another_version_in_its_place_is_not_taken(version: Version, tmp_path: Path) -> None:
    place = VersionPlace.of(version)
    version.path.rename(tmp_path / "old")
    publish(tmp_path / "other", created=datetime(2026, 2, 3, tzinfo=UTC))
    Store(tmp_path / "other").resolve("toy").path.rename(version.path)
    assert place.find() is None


def test_changed_bytes_are_refused(version: Version) -> None:
    place, files = VersionPlace.of(version), pack(version)
    version.path.rename(version.path.with_name("gone"))
    files[TOKENIZER] = files[TOKENIZER][:-1] + b"?"
    with pytest.raises(VersionCorrupt):
        place.unpack(files)
    assert place.find() is None
