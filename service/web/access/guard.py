"""Lets those in who show a key that opens what they ask, before anything of a request is read."""

import math
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import RateLimited, ServiceError
from service.metrics import Metrics
from service.web.access import keys
from service.web.access.key_ring import KeyRing
from service.web.access.keys import Key, Rate
from service.web.access.rates import Buckets
from service.web.errors import answer_error
from service.web.request_body import find_text

SUBPROTOCOL = "gatewise"
"""What a WebSocket speaks that offers its key as a further subprotocol."""

_PROBES = frozenset(["/livez", "/readyz"])
_PAGES = frozenset(["/", "/docs", "/explanations", "/openapi.json"])
_FILES = ("/page/", "/static-offline-docs/")
_OFFER = f"{SUBPROTOCOL}.key."
_PLACE = "gatewise.access"  # in the scope of a request


def scope_of(path: str) -> keys.Scope | None:
    """Return what a key has to open for a path; None for what is open to all.

    Open are the probes and what the pages are made of. Paths that lead nowhere take a key too.
    """
    if path in _PROBES or path in _PAGES or path.startswith(_FILES):
        return None
    if path == "/metrics":
        return keys.Scope.METRICS
    return keys.Scope.ADMIN if path.startswith("/admin/") else keys.Scope.PREDICT


class Access:
    """What one caller may do, for as long as the connection lasts: a `Budget`.

    Args:
        key: The key that was shown.
        scope: What it had to open.
        guard: What let the caller in.
    """

    def __init__(self, key: Key, *, scope: keys.Scope, guard: "Guard") -> None:
        self.key = key
        self._scope = scope
        self._guard = guard

    @property
    def holder(self) -> str:
        """Who has the key, for the log."""
        return f"{self.key.name} with the key {self.key.id}"

    def renew(self) -> None:
        """Look at the key again, after a while.

        Raises:
            Unauthorized: It opens nothing any more.
            Forbidden: It does not open this any more.
        """
        self.key = self._guard.ring.renew(self.key, scope=self._scope)

    def check(self) -> None:
        """Raise RateLimited if it is known that nothing may be read with the key for now."""
        if rate := self._rate:
            self._limit(self._guard.buckets.look(self.key.id, rate=rate), rate)

    async def take(self, tokens: int) -> None:
        """Take tokens that are to be read, or raise RateLimited and take none."""
        if rate := self._rate:
            self._limit(await self._guard.buckets.take(self.key.id, tokens, rate=rate), rate)

    async def settle(self, taken: int, *, read: int) -> None:
        """Count what was read, and give back the rest."""
        self._guard.metrics.count_key_tokens(self.key.name, read)
        if (rate := self._rate) and taken > read:
            await self._guard.buckets.give_back(self.key.id, taken - read, rate=rate)

    @property
    def _rate(self) -> Rate | None:
        return self.key.rate or self._guard.rate

    def _limit(self, seconds: float, rate: Rate) -> None:
        """Raise RateLimited if there are seconds to wait."""
        if seconds:
            self._guard.metrics.count_key_limited(self.key.name)
            raise RateLimited(
                f"the API key {self.key.id} may have {rate.tokens_per_second:g} tokens a second "
                f"read, and {rate.burst_tokens:g} at once",
                retry_after=max(1, math.ceil(seconds)),
            )


@dataclass(frozen=True)
class Guard:
    """Stands before an application.

    Args:
        app: The application.
        ring: The keys.
        buckets: What may be read with each.
        rate: Of keys that have none of their own; None for no limit.
        metrics: Where to count.
        prefix: What stands before all paths.
    """

    app: ASGIApp
    ring: KeyRing
    buckets: Buckets
    rate: Rate | None
    metrics: Metrics
    prefix: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or WebSocket, as ASGI asks."""
        if scope["type"] in ("http", "websocket"):
            try:
                self._admit(scope)
            except ServiceError as error:
                await answer_error(error, scope=scope)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        """Note what the caller may do; raise ServiceError if it may not do this."""
        needed = scope_of(scope["path"].removeprefix(self.prefix))
        if needed is None:
            return
        access = Access(self.ring.find(_shown(scope), scope=needed), scope=needed, guard=self)
        if needed is keys.Scope.PREDICT and scope.get("method") == "POST":  # with texts to be read
            access.check()
        scope[_PLACE] = access


def access_of(connection: HTTPConnection) -> Access | None:
    """Return what a caller may do; None where no keys are asked for."""
    access: Access | None = connection.scope.get(_PLACE)
    return access


def _shown(scope: Scope) -> str | None:
    """Return the key that a request shows; None if it shows none.

    A browser gives a WebSocket no headers of ours. So it offers the key as a subprotocol.
    """
    kind, _, secret = (find_text(scope, b"authorization") or "").partition(" ")
    if kind.lower() == "bearer":
        return secret.strip()
    if shown := find_text(scope, b"x-api-key"):
        return shown
    for offered in scope.get("subprotocols", ()):
        if offered.startswith(_OFFER):
            return str(offered.removeprefix(_OFFER))
    return None
