"""How much a caller may have read."""

from typing import Protocol


class Budget(Protocol):
    """Tokens that a caller may have read, now and in time."""

    async def take(self, tokens: int) -> None:
        """Take tokens that are to be read.

        Raises:
            RateLimited: There are too few for now. None are taken then.
        """

    async def settle(self, taken: int, *, read: int) -> None:
        """Give back what was taken and not read, once it is known."""


class Unlimited:
    """The budget of callers without a limit."""

    async def take(self, _tokens: int) -> None:
        """Take nothing."""

    async def settle(self, _taken: int, *, read: int) -> None:
        """Give back nothing."""


UNLIMITED = Unlimited()
