import os
from pathlib import Path

import pytest

from models import regular_files
from models.errors import VersionCorrupt
from models.regular_files import (
    check_inner_name,
    find_inside,
    list_inside,
    open_regular,
    read_inside,
    read_regular,
)

NAMES = ["a", "variables/variables.index", "assets.extra/report/ü.png", ".hidden", "a..b"]
BAD_NAMES = ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\\b", "c:a", "a\0b", "a\nb"]


@pytest.mark.parametrize("name", NAMES)
def test_names_within_a_folder(name: str, tmp_path: Path) -> None:
    assert find_inside(tmp_path, check_inner_name(name)) == tmp_path / name


@pytest.mark.parametrize("name", [*BAD_NAMES, "a" * 256, "/".join("a" * 9)])
def test_names_that_may_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is no name of a file|is too long"):
        check_inner_name(name)


def test_a_file_up_to_its_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_regular(tmp_path / "a", limit=5) == b"12345"
    with pytest.raises(VersionCorrupt, match="a: expected at most 4 bytes, found 5"):
        read_regular(tmp_path / "a", limit=4)


def test_no_more_memory_is_taken_than_the_file_needs(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_regular(tmp_path / "a", limit=1 << 60) == b"12345"


def test_a_link_is_followed_for_the_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "real/inner").mkdir(parents=True)
    (tmp_path / "real/inner/a").write_bytes(b"1")
    (tmp_path / "folder").symlink_to("real")
    assert read_inside(tmp_path / "folder", "inner/a", limit=9) == b"1"
    (tmp_path / "real/link").symlink_to("inner")
    with pytest.raises(VersionCorrupt, match="link: expected a folder, found a link"):
        read_inside(tmp_path / "folder", "link/a", limit=9)
    (tmp_path / "real/file").symlink_to("inner/a")
    with pytest.raises(VersionCorrupt, match="file: expected a file, found a link"):
        read_inside(tmp_path / "folder", "file", limit=9)


def test_a_pipe_makes_nobody_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(VersionCorrupt, match="expected a file, found a pipe"):
        open_regular(tmp_path / "pipe")
    # One that takes the place of a file after the first look.
    monkeypatch.setattr(os, "lstat", lambda path: os.stat(__file__))
    with pytest.raises(VersionCorrupt, match="expected a file, found a pipe"):
        open_regular(tmp_path / "pipe")


def test_what_is_there_is_listed(tmp_path: Path) -> None:
    (tmp_path / "b/c").mkdir(parents=True)
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b/c/d").write_bytes(b"12")
    assert {name: s.st_size for name, s in list_inside(tmp_path).items()} == {"a": 1, "b/c/d": 2}


def test_a_link_back_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(".")
    with pytest.raises(VersionCorrupt, match="loop: expected a file, found a link"):
        list_inside(tmp_path)


def test_more_entries_than_allowed_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regular_files, "MOST_FILES", 3)
    for name in "abc":
        (tmp_path / name).touch()
    assert len(list_inside(tmp_path)) == 3
    (tmp_path / "d").mkdir()
    with pytest.raises(VersionCorrupt, match="expected 3 files, found more"):
        list_inside(tmp_path)


def test_a_folder_that_may_not_be_looked_at_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(VersionCorrupt, match="Permission denied"):
        list_inside(tmp_path)


def test_a_fault_of_the_disk_is_none_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "scandir", fail)
    with pytest.raises(OSError, match="Input/output error"):
        list_inside(tmp_path)
