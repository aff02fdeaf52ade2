"""What a core takes longer after a pause, because it has forgotten some of what it did."""

import math

from benchmarks.fleet.costs import Costs

PAUSE = 0.01  # seconds, of the pause that the costs are for
LONGEST = 0.1  # seconds, after which no more is forgotten


class Warmth:
    """How much a core has forgotten. It grows with a pause, and shrinks as the core works.

    Args:
        costs: What all of it costs after a pause of PAUSE seconds.
    """

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._of_turns = self._of_slices = 0.0  # forgotten, in parts of what PAUSE does

    def pause(self, seconds: float) -> float:
        """Forget for some seconds; return those until the core is awake, which none spends."""
        self._of_turns = self._forget(self._of_turns, seconds)
        self._of_slices = self._forget(self._of_slices, seconds)
        return self._costs.waking * self._forget(0.0, seconds)

    def turn(self, work: float) -> float:
        """Return what a turn of the event loop takes besides its work."""
        learnt = self._of_turns * self._learn(work)
        self._of_turns -= learnt
        return self._costs.cold * learnt

    def slice(self, work: float) -> float:
        """Return what a slice takes besides its work."""
        learnt = self._of_slices * self._learn(work)
        self._of_slices -= learnt
        return self._costs.cold_slice * learnt

    def _forget(self, forgotten: float, seconds: float) -> float:
        power = self._costs.forgetting
        since = forgotten ** (1 / power) * PAUSE + seconds
        return float((min(since, LONGEST) / PAUSE) ** power)

    def _learn(self, work: float) -> float:
        return 1 - math.exp(-work / self._costs.learning)
