"""What one process of the service costs on a core: the parameters of the simulation."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from service.engines.cost import Cost

TIMES = (
    *("turn", "cold", "request", "char", "thread_char", "handover"),
    *("slice", "cold_slice", "piece", "resume", "refusal"),
)


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds of a core, as `calibration.py` measures them.

    Args:
        planned: Cost of a call of the engine by the estimate of the service, which plans by it.
        engine: What a call takes within the service.
        turn: Of a turn of the event loop that has anything to do.
        cold: Of the turns after the core had nothing to do for 10 ms, besides.
        cold_slice: Of the slices after that, besides.
        waking: Seconds after that until the first turn begins, that no core spends.
        forgetting: The power of a pause with which these three grow.
        learning: Seconds of work within which two thirds of what is cold are spent.
        request: Of the event loop for each request: HTTP, middleware, routing, the answer.
        char: Of the event loop for each character: JSON, and text to ids.
        thread_char: Of the tokenizer's thread for each character of a long text.
        handover: Of the event loop for each request that a thread computes.
        slice: Of the computing thread for each slice, besides the engine.
        piece: Of the computing thread for each text of a slice that does not read all texts whole:
            their states are put together and taken apart.
        resume: Of the computing thread each time the event loop has interrupted a slice.
        refusal: Of the event loop for a request that is rejected at its connection.
        wire: Seconds of the client, on the way to the service and back, and of waking, that no core
            of the service spends.
        loop_power: The event loop takes longer by this power of how slow the core is.
        thread_power: Of the other threads.
        stalls: Seconds for which something else had the core, as they were seen.
        stalls_per_second: How often.
        lent: Seconds of each second that the core is kept free for others; what it was idle counts.
    """

    planned: Cost
    engine: Cost
    turn: float = 0.0
    cold: float = 0.0
    cold_slice: float = 0.0
    waking: float = 0.0
    forgetting: float = 0.5
    learning: float = 1e-3
    request: float = 0.0
    char: float = 0.0
    thread_char: float = 0.0
    handover: float = 0.0
    slice: float = 0.0
    piece: float = 0.0
    resume: float = 0.0
    refusal: float = 0.0
    wire: float = 0.0
    loop_power: float = 1.0
    thread_power: float = 1.0
    stalls: list[float] = field(default_factory=list)
    stalls_per_second: float = 0.0
    lent: float = 0.0

    def record(self) -> dict[str, Any]:
        """Return all as values of JSON."""
        return asdict(self)

    def scale(self, factor: float) -> "Costs":
        """Return the costs of a core that takes so many times as long; plans stay as they are."""
        times = {name: factor * getattr(self, name) for name in TIMES}
        call, step, text = (
            factor * each for each in (self.engine.call, self.engine.step, self.engine.text)
        )
        return replace(self, **times, engine=Cost(call, step, text, self.engine.padded))

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Costs":
        """Return the costs of a record."""
        return cls(**record | {key: Cost(**record[key]) for key in ("planned", "engine")})
