"""What one process of the service costs on a core: the parameters of the simulation."""

from dataclasses import asdict, dataclass, field
from typing import Any

from service.engines.cost import Cost


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds of a core, as `calibration.py` measures them.

    Args:
        planned: Cost of a call of the engine by the estimate of the service, which plans by it.
        engine: What a call takes within the service.
        turn: Of a turn of the event loop that has anything to do.
        cold: Of the first turn after the core had nothing to do, besides.
        request: Of the event loop for each request: HTTP, middleware, routing, the answer.
        char: Of the event loop for each character: JSON, and text to ids.
        handover: Of the event loop for each request that a thread computes.
        slice: Of the computing thread for each slice, besides the engine.
        piece: Of the computing thread for each text of a slice that does not read all texts whole:
            their states are put together and taken apart.
        refusal: Of the event loop for a request that is rejected at its connection.
        wire: Seconds on the way to the service and back, and of waking, that no core spends.
        stalls: Seconds for which something else had the core, as they were seen.
        stalls_per_second: How often.
        lent: Seconds of each second that the core is kept free for others; what it was idle counts.
    """

    planned: Cost
    engine: Cost
    turn: float = 0.0
    cold: float = 0.0
    request: float = 0.0
    char: float = 0.0
    handover: float = 0.0
    slice: float = 0.0
    piece: float = 0.0
    refusal: float = 0.0
    wire: float = 0.0
    stalls: list[float] = field(default_factory=list)
    stalls_per_second: float = 0.0
    lent: float = 0.0

    def record(self) -> dict[str, Any]:
        """Return all as values of JSON."""
        return asdict(self)

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Costs":
        """Return the costs of a record."""
        return cls(**record | {key: Cost(**record[key]) for key in ("planned", "engine")})
