"""A stream's position as a token that a client keeps between two pieces.

A token is, in base64url without padding,

    key id (4) · mac (16) · format (1) · length of the header (4) · header (JSON) · state (float32)

The key id says which secret the token is signed with, so secrets can be replaced one by one. The
header has the version (name, number, digest), the text held back, and how many tokens and
characters come before it.
The mac is HMAC-SHA-256 (RFC 2104) of the bytes that follow it, cut to 128 bits.
"""

import base64
import binascii
import hashlib
import hmac
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.metadata import StateTensor
from service.answering.classifier import Classifier
from service.engines.protocol import TextState
from service.errors import BadState, ReplayRequired
from service.streams.position import Position

FORMAT = 1
MOST_HELD = 4_096  # characters, twice as many as a tokenizer ever holds back
MOST_COUNTED = 2**53  # up to which every reader of JSON has whole numbers; no state comes near
ID_BYTES, MAC_BYTES = 4, 16
_FIXED = struct.Struct("<BI")
_DOMAIN = b"gatewise stream state"
_LITTLE = np.dtype("<f4")


@dataclass(frozen=True)
class OpenedToken:
    """What a token says, before it is known whether its version is loaded.

    Args:
        model: Name of the model.
        version: Number of the version.
        digest: Of the version's metadata, and so of its weights.
        held: Text held back.
        tokens: Tokens read.
        characters: Characters before what is held.
        tensors: The state, all tensors in a row; empty before the first token.
    """

    model: str
    version: int
    digest: str
    held: str
    tokens: int
    characters: int
    tensors: bytes

    @property
    def is_possible(self) -> bool:
        """Whether it holds no more than any stream comes to; without a secret all can write one."""
        counts = (self.version, self.tokens, self.characters)
        return len(self.held) <= MOST_HELD and all(0 <= each < MOST_COUNTED for each in counts)


class StateTokens:
    """Writes tokens and reads those that it, or another with one of its secrets, wrote.

    Args:
        secrets: Known to the replicas of a service only. The first signs, and all are recognized.
            Without one the mac is a checksum, which others can compute too. A state that a client
            makes up misleads only that client.
    """

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        keys = [hmac.digest(each.encode(), _DOMAIN, "sha256") for each in secrets or [""]]
        self._keys = {_id_of(key): key for key in keys}
        self._id, self._key = _id_of(keys[0]), keys[0]

    def write(self, position: Position, classifier: Classifier) -> str:
        """Return the token of a position in a stream that the classifier reads."""
        metadata, state = classifier.metadata, position.state
        names = [metadata.name, metadata.version, classifier.digest]
        place = [position.held, position.tokens, position.characters]
        header = json.dumps([*names, *place]).encode()
        tensors = (state[tensor.name].astype(_LITTLE) for tensor in metadata.state) if state else ()
        body = _FIXED.pack(FORMAT, len(header)) + header + b"".join(t.tobytes() for t in tensors)
        return _encode(self._id + _mac(self._key, body) + body)

    def open(self, token: str) -> OpenedToken:
        """Return what a token says.

        Raises:
            BadState: It is not as it was written.
            ReplayRequired: It is signed with a secret that is not known, or not any more.
        """
        try:
            padded = token.encode("ascii") + b"=" * (-len(token) % 4)
            signed = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise BadState from None
        if _encode(signed) != token:  # but another that decodes to the same
            raise BadState
        body = self._check(signed)
        if body[:1] != bytes([FORMAT]):
            raise BadState
        try:
            _, length = _FIXED.unpack_from(body)
            start = _FIXED.size + length
            header = json.loads(body[_FIXED.size : start])
        except (struct.error, ValueError, RecursionError):
            raise BadState from None
        match header:
            case [str(model), int(version), str(digest), str(held), int(tokens), int(characters)]:
                tensors = body[start:]
                opened = OpenedToken(model, version, digest, held, tokens, characters, tensors)
                if opened.is_possible:
                    return opened
        raise BadState

    def _check(self, signed: bytes) -> bytes:
        """Return what is signed."""
        key_id, rest = signed[:ID_BYTES], signed[ID_BYTES:]
        mac, body = rest[:MAC_BYTES], rest[MAC_BYTES:]
        if not body:
            raise BadState
        if key_id not in self._keys:
            raise ReplayRequired("the state is signed with a secret that is not known here")
        if not hmac.compare_digest(mac, _mac(self._keys[key_id], body)):
            raise BadState
        return body


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:ID_BYTES]


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)[:MAC_BYTES]


def _encode(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def resume(opened: OpenedToken, classifier: Classifier) -> Position:
    """Return the position that a token of this version holds.

    Raises:
        ReplayRequired: It was written by other weights under the same name and number.
        BadState: Its tensors are not those of the version, or no stream comes to them.
    """
    if opened.digest != classifier.digest:
        raise ReplayRequired(f"{opened.model}:{opened.version} has been replaced since")
    state = _unpack(opened.tensors, classifier.metadata.state) if opened.tensors else None
    return Position(state, opened.held, opened.tokens, opened.characters)


def _unpack(data: bytes, tensors: tuple[StateTensor, ...]) -> TextState:
    ends = np.cumsum([int(np.prod(tensor.shape)) for tensor in tensors])
    if len(data) != _LITTLE.itemsize * ends[-1]:
        raise BadState
    values = np.frombuffer(data, _LITTLE).astype(np.float32)
    if not np.all(np.abs(values) <= MOST_COUNTED):  # nor is one that is no number
        raise BadState
    parts = np.split(values, ends[:-1])
    return {t.name: part.reshape(t.shape) for t, part in zip(tensors, parts, strict=True)}
