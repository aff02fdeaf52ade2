"""Where the variables of a SavedModel lie in its data file, read without TensorFlow.

`variables.index` is a table of sorted keys (the format of LevelDB's tables, uncompressed). Each
value is a `BundleEntryProto` of TensorFlow: type, shape, offset and size of one variable.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from models.errors import VersionCorrupt
from models.limits import LARGEST_INDEX, MOST_VARIABLES
from models.metadata import WeightRecord
from models.protobuf import read_fields, read_varint
from models.regular_files import read_inside

INDEX = "variables/variables.index"
FOOTER_BYTES = 48
MAGIC = bytes.fromhex("57fb808b247547db")
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"

_DTYPES = {1: "float32", 6: "int8", 19: "float16"}  # the numbers of TensorFlow's DataType
_DTYPE, _SHAPE, _SHARD, _OFFSET = 1, 2, 3, 4  # fields of BundleEntryProto
_DIM, _SIZE = 2, 1  # of TensorShapeProto, and of its Dim


def find_variables(folder: Path) -> dict[str, WeightRecord]:
    """Return the places of the variables of a version by attribute path, as `kernel`.

    Variables of types that no weight has are left out.

    Raises:
        VersionCorrupt: The index is missing or damaged.
    """
    path = folder / INDEX
    try:
        entries = _read_index(read_inside(folder, INDEX, limit=LARGEST_INDEX))
        found = list(islice(entries, MOST_VARIABLES + 1))
    except (OSError, ValueError, IndexError) as error:
        raise VersionCorrupt(f"{path}: not an index of variables ({error})") from error
    if len(found) > MOST_VARIABLES:
        raise VersionCorrupt.mismatch(path, expected=f"at most {MOST_VARIABLES}", found="more")
    return dict(found)


def _read_index(data: bytes) -> Iterator[tuple[str, WeightRecord]]:
    footer = data[-FOOTER_BYTES:]
    if len(footer) < FOOTER_BYTES or not footer.endswith(MAGIC):
        raise ValueError("its last bytes are those of another format")
    *_, behind_metaindex = _read_handle(footer, 0)
    for _, handle in _entries(_read_block(data, footer, at=behind_metaindex)):
        for key, value in _entries(_read_block(data, handle)):
            name = key.decode()
            record = _read_entry(value) if name.endswith(SUFFIX) else None
            if record is not None:
                yield name.removesuffix(SUFFIX), record


def _read_block(data: bytes, handle: bytes, *, at: int = 0) -> bytes:
    """Return the block that a handle points to."""
    offset, size, _ = _read_handle(handle, at)
    if offset + size >= len(data):
        raise ValueError("a block is cut")
    if data[offset + size] != 0:  # the byte behind a block
        raise ValueError("a block is compressed")
    return data[offset : offset + size]


def _read_handle(data: bytes, at: int) -> tuple[int, int, int]:
    """Return offset and size of a block, and where its handle ends."""
    offset, at = read_varint(data, at)
    size, at = read_varint(data, at)
    return offset, size, at


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block; a key shares its beginning with the one before."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise ValueError("a block is cut")
    key, at = b"", 0
    while at < end:
        shared, at = read_varint(block, at)
        unshared, at = read_varint(block, at)
        size, at = read_varint(block, at)
        if shared > len(key) or at + unshared + size > end:
            raise ValueError("an entry is cut")
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + size]
        at += size


def _read_entry(value: bytes) -> WeightRecord | None:
    dtype, offset = None, 0
    shape: tuple[int, ...] = ()
    for field, content in read_fields(value):
        if field == _DTYPE and isinstance(content, int):
            dtype = _DTYPES.get(content)
        elif field == _SHAPE and isinstance(content, bytes):
            shape = tuple(_read_shape(content))
        elif field == _OFFSET and isinstance(content, int):
            offset = content
        elif field == _SHARD and content:
            raise ValueError("variables are in several files")
    if dtype is None:
        return None
    return WeightRecord.model_validate({"offset": offset, "shape": shape, "dtype": dtype})


def _read_shape(value: bytes) -> Iterator[int]:
    for field, dim in read_fields(value):
        if field == _DIM and isinstance(dim, bytes):
            sizes = [size for number, size in read_fields(dim) if number == _SIZE]
            yield sizes[0] if sizes and isinstance(sizes[0], int) else 0
