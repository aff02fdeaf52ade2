"""A version is data: whoever made it, it is refused or answers, and does nothing else.

A process with audit hooks opens each version by every engine that needs no TensorFlow. Nothing of a
version may end that process, hold it up, take much of its memory, or have it open a file outside of
the version, a socket or a process.
"""

import json
import os
import random
import shutil
import socket
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from models.variables import INDEX
from models.versions import EXTRA, GOLDEN, METADATA, ONNX, TOKENIZER, WEIGHTS
from tests.effort import Effort
from tests.promises.hostile.mutations import CHANGES
from tests.promises.hostile.process import Opener
from tests.promises.hostile.seal import seal
from tests.promises.hostile.small_version import make_block, publish_small
from tests.protobuf import varint

pytestmark = pytest.mark.e2e
ENGINES = ("native", "onnx")
MOST_MEMORY = 400  # MB at any time, of a process that needs 90 for a version that is whole


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a version that is as it was published; not to be changed."""
    return publish_small(tmp_path_factory.mktemp("whole")).path


@pytest.fixture(scope="module")
def opener(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opener]:
    opener = Opener(whole, tmp_path_factory.mktemp("opener") / "scratch")
    yield opener
    opener.close()


@pytest.fixture(scope="module")
def expected(whole: Path, opener: Opener) -> dict[str, Any]:
    """What the whole version answers, by engine."""
    return opener.open(whole)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of the version, to be changed."""
    return Path(shutil.copytree(whole, tmp_path / "toy/1"))


def names_of(folder: Path) -> list[str]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.relative_to(folder).as_posix() for path in paths]


def damage(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """Yield a file with a region flipped, and one that is cut there."""
    flipped = bytes(byte ^ 0xFF for byte in data[start:end])
    yield data[:start] + flipped + data[end:]
    yield data[:start]


def each_damage(folder: Path, *, regions: int) -> Iterator[str]:
    """Yield the name of each file for each of its regions, damaged; then make it whole again."""
    for name in names_of(folder):
        data = (folder / name).read_bytes()
        edges = np.linspace(0, len(data), min(regions, len(data)) + 1).astype(int)
        for start, end in pairwise(edges.tolist()):
            for damaged in damage(data, start, end):
                (folder / name).write_bytes(damaged)
                yield name
        (folder / name).write_bytes(data)


def require_equal(found: Any, expected: Any) -> None:
    assert isinstance(found, list), found
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), atol=1e-3)


def test_every_damaged_region_is_refused(
    folder: Path, opener: Opener, expected: dict[str, Any], effort: Effort
) -> None:
    """Where `model.onnx` alone is damaged, other engines answer as before."""
    for name in each_damage(folder, regions=effort(short=4, long=400)):
        said = opener.open(folder)
        if name == METADATA:  # it has no hash: what the change left may be equal
            continue
        assert isinstance(said["onnx"], str), (name, said)
        if name == ONNX:
            require_equal(said["native"], expected["native"])
        else:
            assert isinstance(said["native"], str), (name, said)
        assert "UNFORESEEN" not in said["onnx"]


def test_regions_with_their_hashes_made_right(folder: Path, opener: Opener, effort: Effort) -> None:
    """Then only limits and structure protect; whatever answers gives probabilities."""
    metadata = (folder / METADATA).read_bytes()
    for name in each_damage(folder, regions=effort(short=4, long=400)):
        if name != METADATA:
            (folder / METADATA).write_bytes(metadata)
            seal(folder)
        require_bounded(opener.open(folder))
    (folder / METADATA).write_bytes(metadata)


def require_bounded(said: dict[str, Any]) -> None:
    assert said["peak"] < MOST_MEMORY, said
    for engine in ENGINES:
        assert "UNFORESEEN" not in str(said[engine])[:20], said


def test_fuzzed_files(whole: Path, folder: Path, opener: Opener, effort: Effort) -> None:
    count = effort(short=150, long=100_000)
    answered = 0
    for number in range(count):
        draw = random.Random(number)
        name, change = draw.choice(CHANGES)
        change(folder / name, draw)
        if draw.random() < 0.9:
            seal(folder)
        try:
            said = opener.open(folder)
            require_bounded(said)
        except AssertionError as error:
            raise AssertionError(f"file {number}: {name}, {change.__name__}: {error}") from error
        answered += any(isinstance(said[engine], list) for engine in ENGINES)
        for changed in (name, METADATA):
            shutil.copyfile(whole / changed, folder / changed)
    assert 0 < answered < count  # some changes do no harm, or nothing was tested


# One by one: what somebody would try


def edit(folder: Path, name: str, change: Callable[[Any], None]) -> None:
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    change(content)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def add_record(name: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        record = {"size": 5, "sha256": "0" * 64}
        edit(folder, METADATA, lambda content: content["files"].update({name: record}))

    return apply


def set_field(*path: str | int, to: Any, name: str = METADATA) -> Callable[[Path], None]:
    def change(content: Any) -> None:
        *before, last = path
        for key in before:
            content = content[key]
        content[last] = to

    return lambda folder: edit(folder, name, change)


def link_out(name: str) -> Callable[[Path], None]:
    """Put a link to a file of the same content outside in the place of a file."""

    def apply(folder: Path) -> None:
        outside = folder.parent.parent / "outside"
        shutil.move(folder / name, outside)
        (folder / name).symlink_to(outside)

    return apply


def link_folder(folder: Path) -> None:
    outside = folder.parent.parent / "outside"
    shutil.move(folder / EXTRA, outside)
    (folder / EXTRA).symlink_to(outside)


def make_pipe(name: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return apply


def make_socket(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)  # for the path of a socket has to be short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("s")
    finally:
        os.chdir(here)


def make_sparse(name: str) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, 1 << 40)


def nest_folders(folder: Path) -> None:
    (folder / "/".join("d" * 12)).mkdir(parents=True)


def make_many_files(folder: Path) -> None:
    for number in range(1_001):
        (folder / f".{number}").touch()


def write_raw(name: str, content: bytes) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return apply


def multiply_sizes(folder: Path) -> None:
    set_field("architecture", "units", to=16_000)(folder)
    set_field("architecture", "vocabulary", to=400_000)(folder)


DEEP = b"[" * 200_000 + b"]" * 200_000
CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a link to a file outside": (link_out(TOKENIZER), "expected a file, found a link"),
    "a link to the metadata": (link_out(METADATA), "expected a file, found a link"),
    "a link to the weights": (link_out(WEIGHTS), "expected a file, found a link"),
    "a link to a folder outside": (link_folder, "expected a folder, found a link"),
    "a pipe": (make_pipe(GOLDEN), "expected a file, found a pipe"),
    "a pipe as metadata": (make_pipe(METADATA), "expected a file, found a pipe"),
    "a pipe beside the files": (make_pipe("pipe"), "expected a file, found a pipe"),
    "a socket": (make_socket, "expected a file, found a socket"),
    "a file that is not recorded": (write_raw("more", b"x"), "expected a record of more"),
    "folders without end": (nest_folders, "nested too deeply"),
    "files without end": (make_many_files, "expected 1000 files, found more"),
    "a terabyte of zeros": (make_sparse(WEIGHTS), "found 1099511627776 bytes"),
    "a terabyte of metadata": (make_sparse(METADATA), "expected at most"),
    "a path upwards": (add_record("../../../secret"), "no name of a file within"),
    "an absolute path": (add_record("/etc/passwd"), "no name of a file within"),
    "a path in two steps": (add_record("variables/../../x"), "no name of a file within"),
    "deep metadata": (write_raw(METADATA, DEEP), "recursion limit|not a metadata file"),
    "a deep tokenizer": (write_raw(TOKENIZER, DEEP), "tokenizer.json"),
    "a huge number": (set_field("version", to=10**4_000), "not a metadata file"),
    "a huge layer": (set_field("architecture", "units", to=10**9), "architecture.units"),
    "many layers": (set_field("architecture", "layers", to=10**6), "architecture.layers"),
    "a huge table": (set_field("architecture", "ngrams", "buckets", to=2**60), "buckets"),
    "sizes that multiply": (multiply_sizes, "vocabulary times"),
    "a state of another shape": (set_field("state", 0, "shape", to=[1]), "state: expected"),
    "a weight of another shape": (
        set_field("weights", "recurrent_0/kernel", "shape", to=[1, 1]),
        "shape of the weight",
    ),
    "a weight outside of its file": (
        set_field("weights", "recurrent_0/kernel", "offset", to=2**31),
        "expected a weight up to",
    ),
    "an exponential pattern": (
        set_field("pattern", to="(?:a+)+$", name=TOKENIZER),
        "pattern is not that of normalization",
    ),
    "another file of ours as weights": (
        set_field("files", WEIGHTS, "size", to=2**40),
        "not a metadata file",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_somebody_would_try(case: str, folder: Path, opener: Opener) -> None:
    change, reason = CASES[case]
    change(folder)
    if not case.startswith(
        ("a path", "an absolute", "a terabyte", "another file", "a pipe", "a link")
    ):
        seal(folder)
    said = opener.open(folder)
    require_bounded(said)
    assert isinstance(said["native"], str)
    assert any(part in said["native"] for part in reason.split("|")), said
    assert said["seconds"] < 10


def change_model(change: Callable[[onnx.ModelProto], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        model = onnx.load(str(folder / ONNX), load_external_data=False)
        change(model)
        (folder / ONNX).write_bytes(model.SerializeToString())

    return apply


def place_outside(model: onnx.ModelProto) -> None:
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "/dev/zero"


def use_library(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "evil"


def loop_for_ever(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "Loop"


def declare_terabytes(model: onnx.ModelProto) -> None:
    model.graph.initializer[3].dims[:] = [1 << 40]


GRAPHS = [place_outside, use_library, loop_for_ever, declare_terabytes]


@pytest.mark.parametrize("change", GRAPHS)
def test_another_graph_is_refused(
    change: Callable[[onnx.ModelProto], None],
    folder: Path,
    opener: Opener,
    expected: dict[str, Any],
) -> None:
    change_model(change)(folder)
    seal(folder)
    said = opener.open(folder)
    assert "not the graph of a version" in said["onnx"]
    require_equal(said["native"], expected["native"])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("name", ["embedding", "recurrent_0/recurrent"])
def test_weights_that_are_no_numbers_are_refused(
    value: float, name: str, folder: Path, opener: Opener
) -> None:
    """Else a text whose word they belong to would be answered with NaN."""
    record = json.loads((folder / METADATA).read_text())["weights"][name]
    data = bytearray((folder / WEIGHTS).read_bytes())
    with np.errstate(over="ignore"):
        bad = np.array(value, record["dtype"]).tobytes()
    end = record["offset"] + int(np.prod(record["shape"])) * len(bad)
    data[end - len(bad) : end] = bad  # of the last token, in no golden text
    (folder / WEIGHTS).write_bytes(data)
    seal(folder)
    said = opener.open(folder)
    assert "weights of at most 1e+06" in said["native"]
    if name == "embedding":
        assert "weights of at most 1e+06" in said["onnx"]


def test_a_hard_link_is_a_file_of_its_folder(folder: Path, opener: Opener) -> None:
    """Whoever may make one may read the file; backups and image layers consist of them."""
    os.link(folder / WEIGHTS, folder.parent / "backup")
    assert isinstance(opener.open(folder)["native"], list)


def test_an_index_that_names_one_block_many_times(folder: Path, opener: Opener) -> None:
    data = make_block({bytes([key]) * 8: b"" for key in range(200)})
    handle = varint(0) + varint(len(data) - 5)
    index = make_block({number.to_bytes(3): handle for number in range(3_000)})
    place = varint(len(data)) + varint(len(index) - 5)
    footer = (varint(0) * 2 + place).ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")
    (folder / INDEX).write_bytes(data + index + footer)
    seal(folder)
    said = opener.open(folder)
    assert isinstance(said["native"], str)
    assert said["seconds"] < 10
