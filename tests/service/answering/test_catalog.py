import shutil
from pathlib import Path

import pytest

from models.registry import Store
from models.versions import Version
from service.answering.catalog import Catalog
from service.engines import loading as opening
from service.errors import Invalid, NotFound, Unavailable
from tests.versions import CountingEngine, publish


def make_catalog(root: Path, *, default: str | None = None, keep: int = 2) -> Catalog:
    catalog = Catalog(Store(root), default=default, engine="auto", keep=keep)
    catalog.refresh()
    return catalog


def version_of(catalog: Catalog, name: str | None = None, *, version: int | None = None) -> int:
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
    with pytest.raises(Unavailable, match="toy:3 could not be loaded: .*saved_model.pb: expected"):
        catalog.find("toy", version=3)
    broken, ready = catalog.loaded["toy"].values()
    assert broken.classifier is None
    assert ready.classifier is not None
    assert "saved_model.pb" in str(broken.reason)


def test_a_model_that_is_broken_altogether_says_why(tmp_path) -> None:
    publish(tmp_path)
    break_version(tmp_path, 1)
    catalog = make_catalog(tmp_path)
    assert not catalog.ready
    with pytest.raises(Unavailable, match="toy could not be loaded"):
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
    with pytest.raises(Unavailable, match="engine cannot run it: required inputs are missing"):
        catalog.find("bad", version=None)


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
    monkeypatch.setattr("service.answering.catalog.RETRY_SECONDS", 0)
    catalog.refresh()
    assert catalog.ready


def test_a_version_deleted_during_a_look_is_passed_over(tmp_path, monkeypatch) -> None:
    publish(tmp_path)
    gone = publish(tmp_path)
    monkeypatch.setattr(Store, "versions", lambda *_: [Version(gone.path.with_name("1")), gone])

    def fingerprint(folder: Path) -> tuple[int, int, int]:
        if folder == gone.path:
            raise FileNotFoundError(folder)
        return (1, 1, 1)

    monkeypatch.setattr("service.answering.catalog._fingerprint", fingerprint)
    assert version_of(make_catalog(tmp_path)) == 1


def test_a_default_that_is_not_there_is_our_fault_not_the_clients(tmp_path) -> None:
    publish(tmp_path)
    catalog = make_catalog(tmp_path, default="other")
    assert not catalog.ready
    with pytest.raises(Unavailable, match="no model 'other', the default; there are: toy"):
        catalog.find(None, version=None)
    assert version_of(catalog, "toy") == 1
