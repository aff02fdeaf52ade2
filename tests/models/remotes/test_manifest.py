"""What a stranger's metadata file says is checked before anything is written."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from models.errors import FormatTooNew, VersionCorrupt
from models.limits import LARGEST_VERSION, MOST_FILES
from models.metadata import FORMAT_VERSION
from models.remotes.manifest import is_same, read_manifest, restamp
from models.versions import GOLDEN, METADATA, REQUIRED, SAVED_MODEL
from tests.versions import make_metadata

Fields = dict[str, Any]
RECORD = {"size": 1, "sha256": "0" * 64}


def make_fields() -> Fields:
    fields: Fields = json.loads(make_metadata().model_dump_json())
    return fields | {"files": dict.fromkeys(REQUIRED, RECORD)}


def read(fields: Fields) -> Any:
    return read_manifest(json.dumps(fields).encode(), where="s3://b/m@1")


def test_a_list_that_is_right_is_read() -> None:
    assert set(read(make_fields()).files) == set(REQUIRED)


@pytest.mark.parametrize(
    "name",
    [
        "../escaped",
        "/etc/passwd",
        "a/../../escaped",
        "./x",
        "a//b",
        "",
        "a\\b",
        "C:x",
        "a\x00b",
        "a\nb",
        "a" * 256,
        "/".join("a" * 9),
        METADATA,
        "Saved_Model.pb",
        f"{SAVED_MODEL}/inner",
        f"{METADATA}/inner",
    ],
)
def test_names_that_lead_elsewhere_or_clash_are_refused(name: str) -> None:
    fields = make_fields()
    fields["files"][name] = RECORD
    with pytest.raises(VersionCorrupt, match=r"^s3://b/m@1"):
        read(fields)


def drop_golden(fields: Fields) -> None:
    del fields["files"][GOLDEN]


def list_too_many(fields: Fields) -> None:
    fields["files"] |= {f"a{number}": RECORD for number in range(MOST_FILES)}


def sum_up_to_too_much(fields: Fields) -> None:
    fields["files"] |= {name: RECORD | {"size": LARGEST_VERSION // 2} for name in ("a", "b", "c")}


def be_too_large(fields: Fields) -> None:
    fields["files"]["a"] = RECORD | {"size": LARGEST_VERSION + 1}


def be_negative(fields: Fields) -> None:
    fields["files"]["a"] = RECORD | {"size": -1}


def lie_about_hashes(fields: Fields) -> None:
    fields["files"]["a"] = RECORD | {"sha256": "x" * 64}


def be_named_as_a_path(fields: Fields) -> None:
    fields["name"] = "../other"


def be_named_as_a_pickle_would(fields: Fields) -> None:
    fields["__reduce__"] = "os.system"


def be_huge(fields: Fields) -> None:
    fields["architecture"] |= {"units": 1 << 14, "vocabulary": 500_000}


@pytest.mark.parametrize(
    "spoil",
    [
        drop_golden,
        list_too_many,
        sum_up_to_too_much,
        be_too_large,
        be_negative,
        lie_about_hashes,
        be_named_as_a_path,
        be_named_as_a_pickle_would,
        be_huge,
    ],
)
def test_what_cannot_be_is_refused(spoil: Callable[[Fields], None]) -> None:
    fields = make_fields()
    spoil(fields)
    with pytest.raises(VersionCorrupt, match=r"^s3://b/m@1"):
        read(fields)


def test_what_is_no_metadata_is_refused() -> None:
    for content in (b"", b"[]", b"\xff", b"[" * 100_000, b"{}"):
        with pytest.raises(VersionCorrupt, match=r"^s3://b/m@1"):
            read_manifest(content, where="s3://b/m@1")
    with pytest.raises(FormatTooNew):
        read(make_fields() | {"format_version": FORMAT_VERSION + 1})


def test_another_number_changes_nothing_else() -> None:
    content = json.dumps(make_fields()).encode()
    assert restamp(content, name="toy", number=1) is content
    other = restamp(content, name="more", number=7)
    before, after = read_manifest(content, where=""), read_manifest(other, where="")
    assert (after.name, after.version) == ("more", 7)
    assert is_same(before, after)
    assert not is_same(before, after.model_copy(update={"labels": ("a", "b")}))
