"""An engine that runs one version: what its calls cost, and the state that they carry."""

from functools import cached_property

from models.metadata import StateTensor
from service.engines.cost import Cost, measure_cost
from service.engines.protocol import Engine


class Runner:
    """Runs one version. The scheduler knows runners, not labels.

    Args:
        engine: What computes.
        state: State tensors of the version; none where it reads whole texts only.
        cost: What calls of the engine cost; measured at its first use if absent.
    """

    def __init__(
        self, engine: Engine, *, state: tuple[StateTensor, ...], cost: Cost | None = None
    ) -> None:
        self.engine = engine
        self.state = state
        if cost is not None:
            self.cost = cost

    @cached_property
    def cost(self) -> Cost:
        """What calls of the engine cost here; measuring takes some twenty of them."""
        return measure_cost(self.engine, self.state)

    @property
    def sliced(self) -> bool:
        """Whether a text can be read in slices."""
        return bool(self.state)
