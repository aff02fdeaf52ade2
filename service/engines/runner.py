"""An engine with one version, its cost and its state tensors."""

from functools import cached_property

from models.metadata import StateTensor
from service.engines.cost import Cost, measure_cost
from service.engines.protocol import Engine, RaggedEngine


class Runner:
    """Runs one version. The scheduler knows runners, not labels.

    Args:
        engine: The engine that computes.
        state: State tensors of the version; empty if it reads whole texts only.
        cost: Cost of the engine's calls; measured at its first use if absent.
    """

    def __init__(
        self, engine: Engine, *, state: tuple[StateTensor, ...], cost: Cost | None = None
    ) -> None:
        self.engine = engine
        self.ragged = engine if isinstance(engine, RaggedEngine) else None
        self.state = state
        if cost is not None:
            self.cost = cost

    @cached_property
    def cost(self) -> Cost:
        """Cost of the engine's calls on this machine; the measurement takes about 20 calls."""
        return measure_cost(self.engine, self.state)

    def calls(self, *, looks: int) -> int:
        """Return the calls of a text at which to look so many times before its end."""
        return 1 if self.ragged else 1 + looks

    @property
    def sliced(self) -> bool:
        """Whether the version can read a text in slices."""
        return bool(self.state)
