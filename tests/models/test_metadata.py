import json

import pytest
from pydantic import ValidationError

from models.errors import FormatTooNew, VersionCorrupt
from models.metadata import FORMAT_VERSION, Metadata, NgramTable, Stopping
from tests.versions import make_metadata, save_in_format_1, save_in_format_3


def test_save_and_load(tmp_path) -> None:
    path = tmp_path / "metadata.json"
    make_metadata().save(path)
    assert Metadata.load(path) == make_metadata()


def test_format_version_comes_first(tmp_path) -> None:
    path = tmp_path / "metadata.json"
    make_metadata().save(path)
    assert next(iter(json.loads(path.read_text()).items())) == ("format_version", FORMAT_VERSION)


def test_a_newer_format_is_refused_whatever_else_it_holds(tmp_path) -> None:
    path = tmp_path / "metadata.json"
    path.write_text('{"format_version": 6, "unheard_of": true}')
    with pytest.raises(FormatTooNew, match=r"metadata\.json: format_version 6 is newer than 5"):
        Metadata.load(path)


def test_format_version_1_is_read(tmp_path) -> None:
    path = tmp_path / "metadata.json"
    save_in_format_1(make_metadata(), path)
    metadata = Metadata.load(path)
    assert metadata == make_metadata(format_version=1)
    assert (metadata.architecture.ngrams, metadata.baseline) == (None, {})


def test_format_version_3_is_read(tmp_path) -> None:
    path = tmp_path / "metadata.json"
    rule = Stopping(every=8, intercept=0.5, weights=(1.0,) * 7, limits={"0.9": 0.0})
    sizes = NgramTable(orders=3, buckets=10, columns=1)
    shape = make_metadata().architecture.model_copy(update={"ngrams": sizes})
    metadata = make_metadata(format_version=3, stopping=rule, architecture=shape)
    save_in_format_3(metadata, path)
    assert Metadata.load(path) == metadata
    assert not rule.ahead


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format_version": "x"}', "\udcff"])
def test_a_file_that_is_no_metadata_is_refused(content: str, tmp_path) -> None:
    path = tmp_path / "metadata.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(VersionCorrupt, match=r"metadata\.json: not a metadata file"):
        Metadata.load(path)


def test_a_missing_file_is_refused(tmp_path) -> None:
    with pytest.raises(VersionCorrupt, match="No such file"):
        Metadata.load(tmp_path / "metadata.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "../escape"}, "pattern"),
        ({"version": 0}, "greater than or equal to 1"),
        ({"version": "1"}, "valid integer"),
        ({"labels": ("only",)}, "at least 2"),
        ({"labels": ("same", "same")}, "labels must be distinct"),
        ({"unheard_of": 1}, "Extra inputs"),
        ({"thresholds": (0.5, 0.0)}, "thresholds of single_label must be above 0"),
        ({"thresholds": (0.5,)}, "as many as labels"),
        ({"task": "multi_label"}, "multi_label needs thresholds"),
        ({"task": "multi_label", "thresholds": (0.5,)}, "as many as labels"),
        ({"streamable": False}, "state tensors belong to a streamable"),
    ],
)
def test_contradictions_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_metadata(**changes)


def test_metadata_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_metadata().name = "other"  # type: ignore[misc]
