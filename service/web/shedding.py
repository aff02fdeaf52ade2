"""Rejects requests at their connection, if they cannot be answered in time.

To reject one in the application takes seven times as long. Where several times as many come as can
be answered, that would leave no time to answer.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from http import HTTPStatus

from service.answering.answerer import patience
from service.errors import Invalid, Overloaded
from service.metrics import Metrics
from service.scheduling.scheduler import Scheduler, TimeAllowed
from service.web.parsing import DEADLINE_HEADER, parse_deadline
from service.web.refusal import Headers, Refusal

LONGEST_BODY = 64 * 1024  # bytes; a longer one is worth a closer look
MOST_BYTES = 16  # of a token, on average, in any body that is worth an estimate
USUAL_BYTES = 5
LATE = 0.1  # seconds that the event loop comes late where it has too much to do
MANY = 64  # requests that are being answered; with fewer, something else holds it up
PAUSE = 0.05  # seconds between two looks at the event loop

_STATUS = HTTPStatus.TOO_MANY_REQUESTS
_LENGTH = b"content-length"
_PARTICULAR = frozenset([b"transfer-encoding", b"expect", b"origin"])
"""Headers of requests whose answers depend on more than what is looked at here."""


@dataclass
class _Turn:
    """What was decided since the event loop last went round.

    Args:
        tokens: About what has to be read for the requests that are let through. The scheduler does
            not know of them yet.
        rejections: Requests that are not, by route.
    """

    tokens: int = 0
    rejections: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.tokens or self.rejections)


class Shedder:
    """Tells which requests to reject before they reach the application.

    It does where the scheduler has so much to do that it would reject them, or where the event loop
    has. It is to be used on one event loop.

    Args:
        scheduler: Knows what work waits.
        metrics: Where rejections are counted.
        routes: The route at each path where texts are posted.
        seconds: What a request may take that sets no deadline.
    """

    def __init__(
        self, scheduler: Scheduler, *, metrics: Metrics, routes: Mapping[bytes, str], seconds: float
    ) -> None:
        self._scheduler = scheduler
        self._metrics = metrics
        self._routes = routes
        self._patience: TimeAllowed = partial(patience, usual=seconds)
        self._lag = LoopLag()
        self._turn = _Turn()

    def shed(self, path: bytes, headers: Headers, *, busy: int) -> Refusal | None:
        """Return the rejection of a posted request; None where the application is to see it.

        Args:
            path: With its query, as it came.
            headers: Names in lower case, and values.
            busy: Requests that are being answered.
        """
        route = self._routes.get(path)
        if route is None:
            return None
        try:
            wait = self._find_wait(headers, busy=busy)
        except Invalid:  # the application says what is wrong
            return None
        if wait is None:
            return None
        self._this_turn().rejections[route] += 1
        return _reject(wait)

    def _find_wait(self, headers: Headers, *, busy: int) -> int | None:
        """Return the seconds after which a request may come back; None where it may stay.

        Raises:
            Invalid: Its deadline is none.
        """
        if busy < MANY and not self._scheduler.has_work:  # what comes in this turn waits for none
            return None
        length, wanted = self._read_head(headers)
        if not 0 < length <= LONGEST_BODY:
            return None
        if busy >= MANY and self._lag.is_late():
            return 1
        usual = length // USUAL_BYTES
        wait = self._scheduler.foresee(
            least=length // MOST_BYTES, usual=usual, coming=self._turn.tokens, patience=wanted
        )
        if wait is None:
            self._this_turn().tokens += usual
        return wait

    def _read_head(self, headers: Headers) -> tuple[int, TimeAllowed]:
        """Return bytes of the body, 0 if they do not say enough of its request; and its time."""
        length, wanted = 0, self._patience
        for name, value in headers:
            if name == _LENGTH:
                length = int(value)
            elif name in _PARTICULAR:
                return 0, wanted
            elif name == DEADLINE_HEADER and wanted is self._patience:  # the first one counts
                wanted = _always(parse_deadline(value.decode("latin-1")))
        return length, wanted

    def _this_turn(self) -> "_Turn":
        if not self._turn:
            asyncio.get_running_loop().call_soon(self._end_turn)
        return self._turn

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, _Turn()
        for route, count in turn.rejections.items():
            self._metrics.count_shed(route, Overloaded.type, status=_STATUS, count=count)


@cache
def _reject(wait: int) -> Refusal:
    """Return a rejection; there are few, for nobody is told to wait long."""
    message = "there is too much to do to answer in time"
    return Refusal(_STATUS, Overloaded.type, message, retry_after=wait, closes=False)


def _always(seconds: float) -> TimeAllowed:
    return lambda _: seconds


class LoopLag:
    """Whether an event loop comes late. It is looked at only while somebody asks."""

    def __init__(self) -> None:
        self._due: float | None = None  # when it should come to `_look`
        self._late_until = 0.0

    def is_late(self) -> bool:
        """Whether the event loop came late a moment ago, or is late now."""
        now = time.monotonic()
        if self._due is None:
            self._due = now + PAUSE
            asyncio.get_running_loop().call_later(PAUSE, self._look)
        else:
            self._compare(now)
        return now < self._late_until

    def _look(self) -> None:
        self._compare(time.monotonic())
        self._due = None

    def _compare(self, now: float) -> None:
        if self._due is not None and now - self._due > LATE:
            self._late_until = now + 2 * PAUSE
