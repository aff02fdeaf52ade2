"""A request on its way through a simulated process, and what the process decides by."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from service.engines.cost import Cost
from service.scheduling.inline import LONGEST
from service.scheduling.jobs import STRETCH

DEADLINE = 2.0  # seconds; GATEWISE_DEADLINE_MS as it is without being set
SPLIT = 0.5  # of the cost of a request comes before its text is computed; the rest is its answer


class Outcome(StrEnum):
    """What became of a request."""

    WAITING = "waiting"
    ANSWERED = "answered"
    REJECTED = "rejected"
    LATE = "late"


class Request:
    """A text on its way through the service, as the scheduler sees it: ticket and job in one."""

    __slots__ = (
        *("answered", "arrived", "chars", "due", "left", "outcome", "place", "runner", "sent"),
        *("then", "threaded", "tokens", "tries", "unread"),
    )

    def __init__(
        self, place: int, *, sent: float, tokens: int, chars: int, then: Callable[[], None]
    ) -> None:
        self.place, self.sent, self.tokens, self.chars = place, sent, tokens, chars
        self.arrived = self.answered = self.due = 0.0
        self.left = tokens
        self.unread = chars  # of a long text
        self.outcome = Outcome.WAITING
        self.then = then  # what happens once it is answered or refused
        self.threaded = False
        self.tries = 0
        self.runner: Reader

    @property
    def ticket(self) -> "Request":
        """Itself: each request has one text."""
        return self

    @property
    def ahead(self) -> int:
        """Tokens that one call may read."""
        return self.left

    @property
    def seconds_left(self) -> float:
        """What reading them alone takes, by the service's estimate."""
        return self.runner.cost.seconds(self.left)

    @property
    def rank(self) -> tuple[float, int]:
        """Its place in the backlog."""
        return self.due, self.tokens


@dataclass(frozen=True)
class Reader:
    """What the scheduler knows of an engine."""

    cost: Cost
    sliced: bool = True


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the service decides by; changed only to compare with formulas."""

    stretch: float = STRETCH
    inline: float = LONGEST
    deadline: float = DEADLINE
    sliced: bool = True
    split: float = SPLIT
    together: bool = True  # answers leave at the end of a turn


@dataclass
class Used:
    """Seconds of the core, and how often.

    Args:
        loop: Of the event loop.
        compute: Of the computing thread.
        other: Of the tokenizer's thread.
        turns: Of the event loop.
        slices: Of the computing thread.
        requests: That have ended.
    """

    loop: float = 0.0
    compute: float = 0.0
    other: float = 0.0
    turns: int = 0
    slices: int = 0
    requests: int = 0

    @property
    def seconds(self) -> float:
        """Of all threads."""
        return self.loop + self.compute + self.other
