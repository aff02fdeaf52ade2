"""Reads messages of Protocol Buffers, as TensorFlow and ONNX write them, without their packages.

The encoding: https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types


class Fixed(bytes):
    """A number of 4 or 8 bytes, as they are; parsers never take it for a text."""


def read_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a message: number, and value or bytes.

    Raises:
        ValueError: The message is damaged.
        IndexError: It is cut.
    """
    at = 0
    while at < len(message):
        tag, at = read_varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            number, at = read_varint(message, at)
            yield tag >> 3, number
            continue
        if kind == _BYTES:
            size, at = read_varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field has the unknown wire type {kind}")
        if at + size > len(message):
            raise ValueError("a field is cut")
        value = message[at : at + size]
        yield tag >> 3, value if kind == _BYTES else Fixed(value)
        at += size


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, the lowest first, and where it ends."""
    value = 0
    for shift in range(0, 64, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")
