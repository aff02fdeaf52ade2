"""Versions go to a folder and come back, by the commands and without any further library."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models import atomic
from models.__main__ import app
from models.errors import VersionCorrupt
from models.registry import Store
from models.remotes.folder import FolderObjects
from models.remotes.objects import CLAIM
from models.remotes.place import CHUNK_BYTES
from models.versions import GOLDEN, METADATA, SAVED_MODEL, TOKENIZER
from tests.versions import publish


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for variables in (b"one", b"two"):
        publish(tmp_path / "here", variables=variables * 1000)
    return tmp_path / "here"


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"file://{tmp_path}/place/toy"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


def run(*arguments: str, store: Path, status: int = 0) -> str:
    done = CliRunner().invoke(app, [*arguments, "--store", str(store)])
    assert done.exit_code == status, done.output
    assert status == 0 or len(done.stderr.splitlines()) == 1
    return done.output


def ask(*arguments: str, store: Path) -> Any:
    return json.loads(run(*arguments, "--json", store=store))


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def place_of(address: str) -> Path:
    return Path(address.removeprefix("file://"))


def test_a_version_comes_back_with_the_same_bytes(here: Path, there: Path, address: str) -> None:
    pushed = ask("push", "toy:2", address, store=here)
    assert (pushed["address"], pushed["pushed"]) == (f"{address}@2", True)
    pulled = ask("pull", address, store=there)
    assert (pulled["model"], pulled["version"], pulled["pulled"]) == ("toy", 2, True)
    assert pulled["sha256"] == pushed["sha256"]
    assert contents(there / "toy") == {
        f"2/{name}": content for name, content in contents(here / "toy" / "2").items()
    }
    assert ask("push", "toy:2", address, store=here)["pushed"] is False
    assert ask("pull", address, store=there)["pulled"] is False
    assert not list(place_of(address).rglob(CLAIM))


def test_a_place_is_a_store(here: Path, address: str) -> None:
    run("push", "toy:2", f"{address}@stable", store=here)
    version = Store(place_of(address).parent).resolve("toy")
    version.verify()
    (version.path / "assets.extra" / "more.sha256").write_text("of nobody")
    with pytest.raises(VersionCorrupt, match=r"expected a record of assets\.extra/more\.sha256"):
        version.verify()


def test_no_version_there_is_overwritten(here: Path, address: str) -> None:
    run("push", "toy:1", address, store=here)
    before = contents(place_of(address))
    said = run("push", "toy:2", f"{address}@1", store=here, status=2)
    assert said.endswith(f"push it under another number, as in {address}@2\n")
    assert contents(place_of(address)) == before


def test_no_version_here_is_overwritten(here: Path, there: Path, address: str) -> None:
    publish(there, variables=b"another")
    before = contents(there / "toy" / "1")
    run("push", "toy:1", address, store=here)
    assert ask("pull", f"{address}@1", store=there)["version"] == 2
    assert contents(there / "toy" / "1") == before
    assert Store(there).resolve("toy:2").metadata.version == 2
    Store(there).resolve("toy:2").verify()
    assert ask("pull", f"{address}@1", store=there)["pulled"] is False


def test_without_a_version_it_is_the_stable_or_newest_one(
    here: Path, there: Path, address: str
) -> None:
    for reference in ("toy:1", "toy:2"):
        run("push", reference, address, store=here)
    assert ask("pull", address, store=there)["version"] == 2
    run("push", "toy:1", f"{address}@stable", store=here)
    assert ask("pull", address, store=there)["version"] == 1
    run("push", "toy:2", f"{address}@stable", store=here)
    assert ask("pull", f"{address}@stable", store=there)["version"] == 2
    said = run("pull", f"{address}@canary", store=there, status=2)
    assert said == f"error: {address}: no version is canary\n"
    said = run("pull", f"{address}@7", store=there, status=2)
    assert said == f"error: {address}: no version 7; there are: 2, 1\n"


def test_it_can_get_another_name_and_a_label_here(here: Path, there: Path, address: str) -> None:
    run("push", "toy:2", address, store=here)
    assert ask("pull", address, "--name", "more", store=there)["model"] == "more"
    said = run("pull", address, "--name", "more", "--label", "stable", store=there)
    assert said == f"more:2 was already here, from {address}@2; it is stable\n"
    assert Store(there).labels("more").versions == {"stable": 2}
    Store(there).resolve("more").verify()


def test_another_number_there(here: Path, there: Path, address: str) -> None:
    assert ask("push", "toy:1", f"{address}@7", store=here)["address"] == f"{address}@7"
    assert ask("pull", address, store=there)["version"] == 7
    Store(there).resolve("toy:7").verify()


def test_a_hash_pins_the_whole_version(here: Path, there: Path, address: str) -> None:
    pushed = ask("push", "toy:2", address, store=here)
    pinned = f"{address}@2#sha256={pushed['sha256']}"
    other = f"{address}@2#sha256={'0' * 64}"
    assert "expected sha256 0000" in run("pull", other, store=there, status=1)
    assert not there.exists()
    assert ask("pull", pinned, store=there)["pulled"] is True
    run("push", "toy:2", pinned, store=here, status=2)


@pytest.mark.parametrize("name", [SAVED_MODEL, TOKENIZER, GOLDEN, METADATA])
def test_a_flipped_byte_is_refused_and_nothing_is_left(
    name: str, here: Path, there: Path, address: str
) -> None:
    run("push", "toy:2", address, store=here)
    path = place_of(address) / "2" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said = run("pull", address, store=there, status=1)
    assert name in said
    assert contents(there) == {}
    assert Store(there).names() == []


def test_the_hash_beside_the_list_may_be_absent(here: Path, there: Path, address: str) -> None:
    shutil.copytree(here / "toy", place_of(address))  # as by hand
    assert ask("pull", address, store=there)["version"] == 2


@pytest.mark.medium
@pytest.mark.parametrize("change", [-1, 1])
def test_another_size_is_refused(change: int, here: Path, there: Path, address: str) -> None:
    run("push", "toy:2", address, store=here)
    path = place_of(address) / "2" / SAVED_MODEL
    content = path.read_bytes()
    path.write_bytes(content[:change] if change < 0 else content + b"!")
    if change > 0:  # what lies behind is not read
        assert ask("pull", address, store=there)["pulled"] is True
        return
    assert "expected 7 bytes, found 6" in run("pull", address, store=there, status=1)
    assert contents(there) == {}


def test_a_link_or_a_pipe_there_is_refused(here: Path, there: Path, address: str) -> None:
    run("push", "toy:2", address, store=here)
    path = place_of(address) / "2" / SAVED_MODEL
    for make in (lambda: path.symlink_to("/etc/passwd"), lambda: os.mkfifo(path)):
        path.unlink()
        make()
        assert "expected a file" in run("pull", address, store=there, status=1)
        assert contents(there) == {}


def test_a_push_of_another_version_that_has_begun_is_left_alone(here: Path, address: str) -> None:
    run("push", "toy:2", f"{address}@1", store=here)
    folder = place_of(address) / "1"
    (folder / METADATA).unlink()
    (folder / CLAIM).write_text("0" * 64)
    said = run("push", "toy:1", address, store=here, status=2)
    assert f"delete {address}/1/{CLAIM} if it was given up" in said
    (folder / CLAIM).unlink()
    run("push", "toy:1", address, store=here)


def test_a_push_goes_on_where_it_was(here: Path, there: Path, address: str) -> None:
    run("push", "toy:2", address, store=here)
    folder = place_of(address) / "2"
    (folder / CLAIM).write_text(ask("pull", address, store=there)["sha256"])
    (folder / METADATA).unlink()
    (folder / TOKENIZER).write_bytes(b"half")
    whole = {path: path.stat().st_mtime_ns for path in (folder / SAVED_MODEL, folder / GOLDEN)}
    assert "no version 2" in run("pull", f"{address}@2", store=there, status=2)
    run("push", "toy:2", address, store=here)
    assert {path: path.stat().st_mtime_ns for path in whole} == whole
    assert contents(folder).items() > contents(here / "toy" / "2").items()
    assert not (folder / CLAIM).exists()


class Meanwhile:
    """An observer that does something else once the first bytes are written."""

    def __init__(self, do: Callable[[], None]) -> None:
        self._do: Callable[[], None] | None = do

    def begin(self, what: str, *, size: int) -> None: ...

    def say(self, line: str) -> None: ...

    def advance(self, count: int) -> None:
        do, self._do = self._do, None
        if do:
            do()


def test_two_pushes_of_a_file_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    source, other = tmp_path / "source", tmp_path / "other"
    source.write_bytes(b"0123" * CHUNK_BYTES)  # four reads
    other.write_bytes(b"x" * CHUNK_BYTES)
    objects = FolderObjects(tmp_path / "place")

    def give_up() -> None:
        raise KeyboardInterrupt

    def push_again() -> None:
        with pytest.raises(KeyboardInterrupt):
            objects.put_file("1/data", other, observer=Meanwhile(give_up))

    objects.put_file("1/data", source, observer=Meanwhile(push_again))
    assert contents(tmp_path / "place") == {"1/data": source.read_bytes()}


def test_the_names_of_new_folders_are_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(atomic, "sync", synced.append)
    FolderObjects(tmp_path / "place").put("1/metadata", b"{}", new=True)
    assert synced == [tmp_path, tmp_path / "place"]


def test_a_pull_goes_on_where_it_was(here: Path, there: Path, address: str) -> None:
    digest = ask("push", "toy:2", address, store=here)["sha256"]
    begun = there / "toy" / f".staging-pull-{digest[:24]}"
    shutil.copytree(here / "toy" / "2", begun)
    (begun / "variables" / "variables.data-00000-of-00001").write_bytes(b"two" * 100)
    (begun / SAVED_MODEL).write_bytes(b"a graph of others")  # too long
    (begun / GOLDEN).write_bytes(b"bad")  # no beginning of the file
    (begun / "more").write_bytes(b"which does not belong there")
    (begun / "link").symlink_to("/etc/passwd")
    whole = (begun / TOKENIZER).stat().st_mtime_ns
    assert ask("pull", address, store=there)["pulled"] is True
    assert contents(there / "toy") == {
        f"2/{name}": content for name, content in contents(here / "toy" / "2").items()
    }
    assert (there / "toy" / "2" / TOKENIZER).stat().st_mtime_ns == whole


def test_a_damaged_version_here_is_pulled_again_beside_it(
    here: Path, there: Path, address: str
) -> None:
    run("push", "toy:2", address, store=here)
    run("pull", address, store=there)
    (there / "toy" / "2" / SAVED_MODEL).write_bytes(b"damaged")
    done = CliRunner().invoke(app, ["pull", address, "--json", "--store", str(there)])
    assert done.exit_code == 0
    assert "toy:2 is damaged here, and left as it is" in done.stderr
    assert json.loads(done.stdout)["version"] == 3
    Store(there).resolve("toy:3").verify()


def test_a_damaged_version_is_not_pushed(here: Path, address: str) -> None:
    (here / "toy" / "2" / SAVED_MODEL).write_bytes(b"damaged")
    assert SAVED_MODEL in run("push", "toy:2", address, store=here, status=1)
    assert not place_of(address).exists()


def test_places_that_cannot_be(here: Path, there: Path, tmp_path: Path) -> None:
    said = run("pull", f"file://{tmp_path}/nothing/toy", store=there, status=2)
    assert said == f"error: file://{tmp_path}/nothing/toy: there is no version\n"
    (tmp_path / "file").write_text("")
    for command in (("push", "toy"), ("pull",)):
        assert re.match(
            "error: .*(Not a directory|no version)",
            run(*command, f"file://{tmp_path}/file/toy", store=here, status=2),
        )
    assert "give hf://" in run("pull", "reviews", store=there, status=2)
    assert not there.exists()


@pytest.mark.medium
@pytest.mark.parametrize(
    ("kind", "library"), [("hf", "huggingface_hub"), ("s3", "s3fs"), ("gs", "gcsfs")]
)
def test_a_missing_library_is_told_in_one_line(
    kind: str, library: str, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    said = run("pull", f"{kind}://owner/toy", store=there, status=2)
    assert "make setup" in said


FILL = """
import sys
import models.remotes.pull as pull
if sys.argv.pop(1) == "later":  # it fits at first, then others fill the disk
    pull._free_bytes = lambda folder: 1 << 40
from models.__main__ import app
app()
"""


@pytest.mark.e2e
@pytest.mark.parametrize("when", ["before", "later"])
def test_a_full_disk_is_told_and_nothing_is_left_on_it(
    when: str, here: Path, address: str, tmp_path: Path
) -> None:
    run("push", "toy:2", address, store=here)
    small = tmp_path / "small"
    small.mkdir()
    inside = f"mount -t tmpfs -o size=12k small {small} && {{ {sys.executable} -c '{FILL}' {when}"
    inside += f" pull {address} --store {small}/store; echo $? ; find {small}; }}"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inside],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("this user may not mount")
    assert "error: [Errno 28] no space for" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout.split() == ["2", str(small), f"{small}/store"]
