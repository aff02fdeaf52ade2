"""The memory for bodies and messages that are on their way, bounded for all clients together."""

from service.errors import Overloaded

SMALL = 64 * 1024  # bytes of a body that are not counted; the number of connections bounds them
RETRY_AFTER = 1  # seconds


class BodyBytes:
    """Bytes of bodies that have come and wait for the rest of theirs.

    Args:
        most: Bytes at the same time, beside those of small bodies.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def share(self) -> "BodyShare":
        """Return the share of one client."""
        return BodyShare(self)


class BodyShare:
    """The bytes of one client among those of all."""

    def __init__(self, together: BodyBytes) -> None:
        self._together = together
        self._held = 0

    def hold(self, size: int) -> None:
        """Note how many bytes of one body wait.

        Raises:
            Overloaded: All together are too many.
        """
        counted = size if size > SMALL else 0
        if counted == self._held:
            return
        if self._together.held + counted - self._held > self._together.most:
            raise Overloaded(
                "too many large bodies are on their way; send this one later",
                retry_after=RETRY_AFTER,
            )
        self._together.held += counted - self._held
        self._held = counted

    def release(self) -> None:
        """Note that none waits any more."""
        self._together.held -= self._held
        self._held = 0
