"""Requests that parsers disagree about, as bytes."""

import random
from dataclasses import dataclass

HIDDEN = b"GET /livez?hidden HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b'{"text": "good"}'
JSON = b"Host: x\r\nContent-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"10\r\n" + BODY + b"\r\n0\r\n\r\n"


@dataclass(frozen=True)
class Raw:
    """Bytes that are sent, and what may come back.

    Args:
        name: What is odd about them.
        sent: The bytes.
        statuses: Statuses of the answers, in their order; one of several such lists.
    """

    name: str
    sent: bytes
    statuses: tuple[tuple[int, ...], ...]


REFUSED = ((400,),)
READ = ((200,),)
EITHER = ((200,), (400,))


def _post(headers: bytes, body: bytes) -> bytes:
    return b"POST /predict HTTP/1.1\r\n" + JSON + headers + b"\r\n" + body


def _get(path: bytes = b"/livez", headers: bytes = b"Host: x\r\n") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + headers + b"\r\n"


def _length(given: bytes) -> bytes:
    return b"Content-Length: " + given + b"\r\n"


_SIZE = b"%d" % len(BODY)
_ZERO = b"0\r\n\r\n"

SMUGGLING = [
    Raw("length and chunks", _post(_length(b"4") + CHUNKED, _ZERO + HIDDEN), REFUSED),
    Raw("chunks and length", _post(CHUNKED + _length(b"4"), _ZERO + HIDDEN), REFUSED),
    Raw("two lengths", _post(_length(_SIZE) + _length(b"1"), BODY + HIDDEN), REFUSED),
    Raw("equal lengths", _post(_length(_SIZE) * 2, BODY), EITHER),
    Raw("a list of lengths", _post(_length(_SIZE + b", " + _SIZE), BODY), REFUSED),
    Raw("a signed length", _post(_length(b"+" + _SIZE), BODY), REFUSED),
    Raw("a negative length", _post(_length(b"-1"), BODY), REFUSED),
    Raw("a length in hexadecimal", _post(_length(b"0x10"), BODY), REFUSED),
    Raw("a length of two words", _post(_length(b"1 6"), BODY), REFUSED),
    Raw("an empty length", _post(_length(b""), BODY), REFUSED),
    Raw("a length beyond all bounds", _post(_length(b"9" * 30), BODY), REFUSED),
    Raw("another coding", _post(b"Transfer-Encoding: xchunked\r\n", CHUNKS), REFUSED),
    Raw(
        "chunks that are not last", _post(b"Transfer-Encoding: chunked, gzip\r\n", CHUNKS), REFUSED
    ),
    Raw("chunked twice", _post(CHUNKED * 2, CHUNKS + HIDDEN), ((400,), (200, 200))),
    Raw("a coding behind a tab", _post(b"Transfer-Encoding:\tchunked\r\n", CHUNKS), EITHER),
    Raw("a coding behind a control", _post(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS), REFUSED),
    Raw("a blank before the colon", _post(b"Transfer-Encoding : chunked\r\n", CHUNKS), REFUSED),
    Raw("a folded coding", _post(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS), EITHER),
    Raw("a folded header", _get(headers=b"Host: x\r\nX-A: b\r\n c\r\n"), EITHER),
    Raw("a first header that is folded", _get(headers=b" X-A: b\r\nHost: x\r\n"), REFUSED),
    Raw("bare line feeds", _get().replace(b"\r\n", b"\n"), EITHER),
    Raw("a bare carriage return", _get(headers=b"Host: x\rX-A: b\r\n"), REFUSED),
    Raw("a header without a colon", _get(headers=b"Host: x\r\nX-A\r\n"), REFUSED),
    Raw("a header without a name", _get(headers=b"Host: x\r\n: b\r\n"), REFUSED),
    Raw("a NUL in a name", _get(headers=b"Host: x\r\nX\0A: b\r\n"), REFUSED),
    Raw("a NUL in a value", _get(headers=b"Host: x\r\nX-A: b\0c\r\n"), REFUSED),
    Raw("no host", _get(headers=b""), REFUSED),
    Raw("two hosts", _get(headers=b"Host: x\r\nHost: y\r\n"), REFUSED),
]
CHUNK_SHAPES = [
    Raw("an extension", _post(CHUNKED, CHUNKS.replace(b"10\r", b"10;a=b\r", 1)), READ),
    Raw("a quoted extension", _post(CHUNKED, CHUNKS.replace(b"10\r", b'10;a="b"\r', 1)), EITHER),
    Raw("leading zeros", _post(CHUNKED, b"000" + CHUNKS), EITHER),
    Raw("a size with 0x", _post(CHUNKED, b"0x" + CHUNKS + HIDDEN), REFUSED),
    Raw("a size with a sign", _post(CHUNKED, b"+" + CHUNKS + HIDDEN), REFUSED),
    Raw("a negative size", _post(CHUNKED, b"-" + CHUNKS + HIDDEN), REFUSED),
    Raw("a size that overflows", _post(CHUNKED, b"1" + b"0" * 16 + b"10\r\n" + BODY), REFUSED),
    Raw("a huge size", _post(CHUNKED, b"fffffffffffffff\r\n" + BODY), ((400,), (408,), (413,))),
    Raw("no size", _post(CHUNKED, b"\r\n" + BODY + HIDDEN), REFUSED),
    Raw("more bytes than the size", _post(CHUNKED, b"5\r\n" + BODY + HIDDEN), REFUSED),
    Raw("line feeds between chunks", _post(CHUNKED, CHUNKS.replace(b"\r\n", b"\n")), REFUSED),
    Raw("a trailer", _post(CHUNKED, CHUNKS[:-2] + b"Host: y\r\n\r\n" + HIDDEN), ((200, 200),)),
    Raw("a trailer with a length", _post(CHUNKED, CHUNKS[:-2] + _length(b"9") + b"\r\n"), EITHER),
]
LINES = [
    Raw("HTTP/0.9", b"GET /livez\r\n\r\n", REFUSED),
    Raw("HTTP/1.0", b"GET /livez HTTP/1.0\r\n\r\n", READ),
    Raw("HTTP/1.0, kept", b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2, READ),
    Raw(
        "HTTP/1.0 with chunks",
        _post(CHUNKED, CHUNKS + HIDDEN).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        EITHER,
    ),
    Raw("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED),
    Raw("HTTP/9.9", _get().replace(b"1.1", b"9.9"), REFUSED),
    Raw("HTTP/1.2", _get().replace(b"1.1", b"1.2"), REFUSED),
    Raw("a version in small letters", _get().replace(b"HTTP", b"http"), REFUSED),
    Raw("a method in small letters", _get().replace(b"GET", b"get"), REFUSED),
    Raw("a long method", b"G" * 9_000 + _get(), REFUSED),
    Raw("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", REFUSED),
    Raw("two blanks", b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n", EITHER),
    Raw("blank lines before", b"\r\n\r\n" + _get(), READ),
    Raw("requests behind each other", _get() * 3, ((200, 200, 200),)),
    Raw("a whole address", _get(b"http://other/livez"), EITHER),
    Raw("an address of another kind", _get(b"file:///etc/passwd"), ((400,), (404,))),
    Raw(
        "a tunnel",
        b"CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n",
        ((400,), (404,), (405,)),
    ),
    Raw("all of the server", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", ((400,), (404,), (405,))),
    Raw("a path without a slash", _get(b"livez"), REFUSED),
    Raw("a path that is not ASCII", _get("/livéz".encode()), ((400,), (404,))),
    Raw("a path with a NUL", _get(b"/liv\0ez"), REFUSED),
    Raw("an encoded NUL", _get(b"/livez%00"), ((400,), (404,))),
    Raw("encoded bytes that are no UTF-8", _get(b"/%ff%fe"), ((400,), (404,))),
    Raw("half of an encoded byte", _get(b"/livez%2"), ((400,), (404,))),
    Raw("an encoded slash", _get(b"/page%2Findex.html"), ((200,), (400,), (404,))),
    Raw("a way up", _get(b"/page/../../../app.py"), ((400,), (404,))),
    Raw("an encoded way up", _get(b"/page/%2e%2e/%2e%2e/app.py"), ((400,), (404,))),
    Raw("two slashes", _get(b"//livez"), ((200,), (307,), (400,), (404,))),
    Raw("a fragment", _get(b"/livez#a"), EITHER),
    Raw("a body that nobody reads", _get(headers=b"Host: x\r\n" + _length(b"2")) + b"{}", READ),
    Raw(
        "another expectation",
        _post(b"Expect: 200-maybe\r\n" + _length(_SIZE), BODY),
        ((200,), (417,)),
    ),
]
RAW = [*SMUGGLING, *CHUNK_SHAPES, *LINES]


def mutate(raw: bytes, draw: random.Random) -> bytes:
    """Return bytes in which a few were changed, doubled, moved or left out."""
    for _ in range(draw.randint(1, 4)):
        first, last = sorted(draw.choices(range(len(raw) + 1), k=2))
        last = min(last, first + draw.choice([1, 1, 2, 9, 40]))
        piece = raw[first:last]
        kinds = [b"", piece * 2, bytes([draw.randrange(256)]), b"\r\n", draw.choice(RAW).sent[:20]]
        raw = raw[:first] + draw.choice(kinds) + raw[last:]
    return raw
