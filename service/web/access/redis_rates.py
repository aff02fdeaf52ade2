"""What each key may have read in time, counted by a Redis server for all replicas of a service.

The buckets are those of `rates.py`, on the clock of that server. While it does not answer, nothing
goes down: each replica counts by itself.
"""

import logging
import math
import time
from typing import Any

from models.errors import GatewiseError
from models.installation import install_command
from service.web.access.keys import Rate
from service.web.access.rates import ROUNDING, LocalBuckets

PATIENCE = 0.25  # seconds that the server may take
PAUSE = 1.0  # seconds after a failure in which it is not asked
_PREFIX = "gatewise:rate:"

# A full bucket is as one that was never used, and is forgotten. Tokens below 0 are given back, also
# to a bucket in debt.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1e6
local rate, burst, tokens = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local lack = math.min(tokens, burst) - (burst - (full_at - now) * rate)
if tokens > 0 and lack > tonumber(ARGV[4]) then
  return tostring(lack / rate)
end
full_at = full_at + tokens / rate
if full_at > now then
  local milliseconds = math.ceil((full_at - now) * 1000)
  redis.call('SET', KEYS[1], string.format('%.9f', full_at), 'PX', milliseconds)
else
  redis.call('DEL', KEYS[1])
end
return '0'
"""

_log = logging.getLogger(__name__)


class RedisMissing(GatewiseError):
    """The package that asks a Redis server is not installed."""


class RedisBuckets:
    """Buckets of all replicas: `Buckets`.

    Args:
        url: The server, as `redis://host:port/database`.
        fallback: Counts while the server does not answer.

    Raises:
        RedisMissing: The package for it is not installed.
        ValueError: It is no address of a server.
    """

    def __init__(self, url: str, *, fallback: LocalBuckets) -> None:
        try:
            from redis.asyncio import Redis
        except ImportError as error:
            raise RedisMissing(
                f"GATEWISE_RATES_URL takes a package more: {install_command('redis')}"
            ) from error
        self._redis = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        self._take = self._redis.register_script(_TAKE)
        self._fallback = fallback
        self._limited: dict[str, float] = {}  # when each rejected key may try again
        self._resume = 0.0
        self._is_lost = False

    def look(self, key_id: str, *, rate: Rate) -> float:
        """Return the seconds that are left of those that were last told; see `Buckets`."""
        left = self._limited.get(key_id, -math.inf) - time.monotonic()
        if left > 0:
            return left
        self._limited.pop(key_id, None)
        return 0.0

    async def take(self, key_id: str, tokens: int, *, rate: Rate) -> float:
        """See `Buckets`."""
        wait = await self._run(key_id, tokens, rate)
        if wait is None:
            return await self._fallback.take(key_id, tokens, rate=rate)
        if wait:
            self._limited[key_id] = time.monotonic() + self._until_one(tokens, rate, wait)
        return wait

    async def give_back(self, key_id: str, tokens: int, *, rate: Rate) -> None:
        """See `Buckets`."""
        self._limited.pop(key_id, None)  # it may be let in sooner than it was told
        if await self._run(key_id, -tokens, rate) is None:
            await self._fallback.give_back(key_id, tokens, rate=rate)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    @staticmethod
    def _until_one(tokens: int, rate: Rate, wait: float) -> float:
        """Return the seconds until one token is there, of those until many are."""
        return wait - (min(tokens, rate.burst_tokens) - 1) / rate.tokens_per_second

    async def _run(self, key_id: str, tokens: int, rate: Rate) -> float | None:
        """Return the seconds to wait for tokens, 0 if they are taken; None without an answer."""
        if time.monotonic() < self._resume:
            return None
        arguments: list[Any] = [rate.tokens_per_second, rate.burst_tokens, tokens, ROUNDING]
        try:
            wait = float(await self._take(keys=[_PREFIX + key_id], args=arguments))
        except Exception as error:  # whatever it is, it must not end a request
            self._lose(error)
            return None
        if self._is_lost:
            _log.info("the server of the rates answers again")
            self._is_lost = False
        return wait

    def _lose(self, error: Exception) -> None:
        self._resume = time.monotonic() + PAUSE
        if not self._is_lost:
            _log.error("the server of the rates does not answer, so each replica counts: %s", error)
        self._is_lost = True
