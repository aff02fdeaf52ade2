"""API keys: drawn at random, shown once, and kept as hashes in one file.

A key is `gw_`, its id, `_`, and 256 random bits. The id is no secret: it names the key in the file,
in logs and in metrics. So much chance cannot be guessed, and a plain SHA-256 hides it for good.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.atomic import replace_file
from models.errors import GatewiseError
from models.locks import lock

PATIENCE = 10.0  # seconds, for another process that changes the file
BURST_SECONDS = 10  # whose tokens may be read at once where nothing else is set
_LAST = datetime.max.replace(tzinfo=UTC)
_KEY = re.compile(r"gw_([0-9a-f]{16})_([\w-]{43})", re.ASCII)
_NAME = r"^[\w.:@-]{1,64}$"  # one that a log line and a metric can hold


class BadKeys(GatewiseError):
    """The file of keys cannot be read or changed in this way; the message says why."""


class Scope(StrEnum):
    """What a key opens."""

    PREDICT = "predict"
    FEEDBACK = "feedback"
    ADMIN = "admin"
    METRICS = "metrics"


class Rate(BaseModel):
    """Tokens of texts that may be read.

    Args:
        tokens_per_second: In the long run.
        burst_tokens: At once, after a pause.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens_per_second: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    burst_tokens: Annotated[float, Field(ge=1, allow_inf_nan=False)]

    @classmethod
    def of(cls, per_second: float, *, burst: float | None) -> Self:
        """Return a rate; without a burst, that of ten seconds."""
        burst = max(1.0, BURST_SECONDS * per_second) if burst is None else burst
        return cls(tokens_per_second=per_second, burst_tokens=burst)


class Key(BaseModel):
    """What is kept of a key.

    Args:
        id: Names it; no secret.
        name: Who has it. Several keys may have one name, as while one replaces another.
        sha256: Of the whole key, in hexadecimal digits.
        scopes: What it opens.
        created: When it was made.
        expires: When it was made to open nothing any more; None for never.
        grace_ends: When it opens nothing any more because another has taken its place; None if
            none has.
        revoked: When it was revoked; None if it was not.
        rate: What may be read with it; None for what the service sets for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    name: Annotated[str, Field(pattern=_NAME)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: Annotated[frozenset[Scope], Field(min_length=1)]
    created: AwareDatetime
    expires: AwareDatetime | None = None
    grace_ends: AwareDatetime | None = None
    revoked: AwareDatetime | None = None
    rate: Rate | None = None

    def matches(self, digest: str) -> bool:
        """Whether a hash is that of the key; the time that it takes says nothing of it."""
        return hmac.compare_digest(self.sha256, digest)

    def state(self, now: datetime) -> Literal["valid", "expired", "revoked"]:
        """Return whether it opens anything at a time."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.ends is not None and self.ends <= now else "valid"

    @property
    def ends(self) -> datetime | None:
        """When it opens nothing any more, unless it is revoked before; None for never."""
        return min((end for end in (self.expires, self.grace_ends) if end), default=None)


class KeyFile(BaseModel):
    """All keys, in the order in which they were made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    keys: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        ids = [key.id for key in self.keys]
        if twice := {each for each in ids if ids.count(each) > 1}:
            raise ValueError(f"several keys have the id {min(twice)}")
        return self

    def require(self, key_id: str) -> Key:
        """Return the key with an id.

        Raises:
            BadKeys: There is none.
        """
        for key in self.keys:
            if key.id == key_id:
                return key
        there_are = ", ".join(f"{key.id} ({key.name})" for key in self.keys) or "none"
        raise BadKeys(f"no key has the id {key_id!r}; there are: {there_are}")

    def add(self, key: Key) -> Self:
        """Return the file with one more key."""
        return self.model_copy(update={"keys": (*self.keys, key)})

    def replace(self, key: Key) -> Self:
        """Return the file with a changed key in the place of the one with its id."""
        keys = tuple(key if each.id == key.id else each for each in self.keys)
        return self.model_copy(update={"keys": keys})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the keys of a file.

        Raises:
            BadKeys: It cannot be read, or holds something else.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadKeys(f"{path}: the keys cannot be read: {reason}") from error
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            raise BadKeys(f"{path}: no file of keys: {place}: {first['msg']}") from None


@contextmanager
def editing(path: Path) -> Iterator["Editor"]:
    """Yield the keys of a file, and save what they are at the end. One process at a time does.

    Raises:
        BadKeys: The file is damaged, or another process holds it.
        OSError: It cannot be written.
    """
    busy = BadKeys(f"another process is changing {path}; try again")
    with lock(path.with_name(f".{path.name}.lock"), busy=busy, patience=PATIENCE):
        before = KeyFile.load(path) if path.exists() else KeyFile()
        editor = Editor(before)
        yield editor
        if editor.keys != before:
            _save(path, editor.keys)


def _save(path: Path, keys: KeyFile) -> None:
    with replace_file(path) as unfinished:
        unfinished.write_text(keys.model_dump_json(indent=1) + "\n", encoding="utf-8")
        unfinished.chmod(0o644)  # the service may be another user, and a hash opens nothing


class Editor:
    """The keys of a file while they are changed."""

    def __init__(self, keys: KeyFile) -> None:
        self.keys = keys
        self._now = datetime.now(UTC)

    def create(
        self,
        name: str,
        *,
        scopes: frozenset[Scope],
        expires: datetime | None = None,
        rate: Rate | None = None,
    ) -> tuple[Key, str]:
        """Make a key; return what is kept of it, and the key itself, which is not kept.

        Raises:
            ValueError: The name is none.
        """
        if not re.fullmatch(_NAME, name):
            raise ValueError(f"{name!r} is no name: up to 64 letters, digits and . : @ _ -")
        key_id = secrets.token_hex(8)
        secret = f"gw_{key_id}_{secrets.token_urlsafe(32)}"
        key = Key(
            id=key_id,
            name=name,
            sha256=digest_of(secret),
            scopes=scopes,
            created=self._now,
            expires=expires,
            rate=rate,
        )
        self.keys = self.keys.add(key)
        return key, secret

    def revoke(self, key_id: str) -> Key:
        """Let a key open nothing from now on. A key that is revoked already stays as it is.

        Raises:
            BadKeys: There is none with this id.
        """
        key = self.keys.require(key_id)
        if key.revoked is None:
            key = key.model_copy(update={"revoked": self._now})
            self.keys = self.keys.replace(key)
        return key

    def rotate(self, key_id: str, *, grace: timedelta) -> tuple[Key, str]:
        """Make a key that opens the same as another, which expires after a time.

        Raises:
            BadKeys: There is no valid one with this id.
        """
        old = self.keys.require(key_id)
        if (state := old.state(self._now)) != "valid":
            raise BadKeys(f"{old.id} ({old.name}) is {state}; create a new key in its place")
        expires = _later(self._now, old.expires - old.created) if old.expires else None
        made = self.create(old.name, scopes=old.scopes, expires=expires, rate=old.rate)
        end = min(_later(self._now, grace), old.grace_ends or _LAST)
        self.keys = self.keys.replace(old.model_copy(update={"grace_ends": end}))
        return made


def _later(now: datetime, time: timedelta) -> datetime:
    return now + min(time, _LAST - now)


def digest_of(secret: str) -> str:
    """Return the hash of a key, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def id_of(secret: str) -> str | None:
    """Return the id that a key names; None if it is no key."""
    found = _KEY.fullmatch(secret)
    return found[1] if found else None
