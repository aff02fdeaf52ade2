"""The loads that calibrate the simulation. None of them is a load that is predicted."""

from dataclasses import dataclass

KINDS = ("sentences", "reviews")
CONNECTIONS = (1, 8, 32)
USUAL = 8  # connections of the closed loop whose rate counts as the capacity
CALM_RATES = (50.0, 200.0)  # a second
SHARES = (0.35, 0.6)  # of the capacity


@dataclass(frozen=True, kw_only=True)
class Loop:
    """A load to calibrate with: a closed loop, or an open one where there are no connections.

    Args:
        kind: Of the texts.
        connections: Of a closed loop.
        rate: Requests a second of an open loop.
        share: Its share of the capacity, where it has no rate.
        seconds: How long it lasts.
    """

    kind: str
    connections: int = 0
    rate: float = 0.0
    share: float = 0.0
    seconds: float = 1.5

    @property
    def name(self) -> str:
        """What it is called where results are kept."""
        if self.connections:
            return f"{self.kind} over {self.connections}"
        return f"{self.kind} at {self.rate:.0f}/s" if self.rate else f"{self.kind} at {self.share}"


ALONE = Loop(kind="sentences", connections=1, seconds=4.0)  # for stalls too, and long ones are rare
CLOSED = (
    ALONE,
    *(Loop(kind=ALONE.kind, connections=each) for each in CONNECTIONS[1:]),
    *(Loop(kind="reviews", connections=each) for each in CONNECTIONS),
)
CALM = tuple(Loop(kind="sentences", rate=rate, seconds=3.0) for rate in CALM_RATES)
OPEN = tuple(Loop(kind=kind, share=share, seconds=3.0) for kind in KINDS for share in SHARES)
DOCUMENTS = Loop(kind="documents", connections=1)
# An open one comes after the closed one it has a share of.
LOOPS = (*CLOSED, *CALM, *OPEN, DOCUMENTS)


def capacity_of(kind: str) -> str:
    """Return the name of the loop whose rate is the capacity for texts of a kind."""
    return Loop(kind=kind, connections=USUAL).name
