"""The keys that a running service knows, kept in step with their file."""

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from models.installation import command
from service.errors import Forbidden, Unauthorized
from service.web.access.keys import BadKeys, Key, KeyFile, Scope, digest_of, id_of

_log = logging.getLogger(__name__)


class KeyRing:
    """Finds the key that a caller shows. `refresh` may run in another thread.

    Args:
        path: The file of keys.

    Raises:
        BadKeys: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _fingerprint(path)
        self._keys = _by_id(KeyFile.load(path))
        self._fault: str | None = None

    def find(self, secret: str | None, *, scope: Scope | None) -> Key:
        """Return the key that is shown.

        Args:
            secret: The key; None if none is shown.
            scope: What it has to open; None if any will do.

        Raises:
            Unauthorized: There is no such key, or it opens nothing any more.
            Forbidden: It does not open this.
        """
        if secret is None:
            raise Unauthorized("this takes an API key: send it as Authorization: Bearer gw_…")
        key_id, digest = id_of(secret), digest_of(secret)
        key = self._keys.get(key_id) if key_id else None
        if key is None or not key.matches(digest):
            raise Unauthorized("this is no API key of this service")
        return self._check(key, scope)

    def renew(self, key: Key, *, scope: Scope | None) -> Key:
        """Return what is kept of a key now; it was found before.

        Raises:
            Unauthorized: It opens nothing any more.
            Forbidden: It does not open this any more.
        """
        known = self._keys.get(key.id)
        if known is None or known.sha256 != key.sha256:
            raise Unauthorized(f"the API key {key.id} is not known any more")
        return self._check(known, scope)

    def refresh(self) -> None:
        """Read the file again if it has changed. While it is damaged, the keys stay as they are."""
        try:
            seen = _fingerprint(self._path)
            if seen == self._seen and self._fault is None:
                return
            keys = KeyFile.load(self._path)
        except BadKeys as error:
            if str(error) != self._fault:
                _log.error("the API keys are not changed: %s", error)
            self._fault = str(error)
            return
        self._keys, self._seen, self._fault = _by_id(keys), seen, None
        _log.info("%s: %d API keys are known", self._path, len(self._keys))

    def _check(self, key: Key, scope: Scope | None) -> Key:
        state = key.state(datetime.now(UTC))
        if state != "valid":
            raise Unauthorized(f"the API key {key.id} is {state}")
        if scope is not None and scope not in key.scopes:
            has = ", ".join(sorted(key.scopes))
            raise Forbidden(f"this takes the scope {scope}; the API key {key.id} has: {has}")
        return key


def _by_id(keys: KeyFile) -> dict[str, Key]:
    return {key.id: key for key in keys.keys}


def _fingerprint(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written or replaced."""
    try:
        stat = os.stat(path)
    except OSError as error:
        raise BadKeys(
            f"{path}: the keys cannot be read: {error.strerror}; "
            f"{command('service', 'keys create NAME')} makes a first one"
        ) from error
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
