"""The contestants: each cell at equal width, and each cell at equal weights."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.cells import CELLS, CellName

Condition = Literal["equal width", "equal weights"]
REFERENCE: CellName = "gru"  # sets the number of weights; without it the first cell does
WIDEST = 4_096


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A cell of one width.

    Args:
        cell: Recurrent cell.
        units: Width of its state.
        conditions: Its conditions; the reference has both.
    """

    cell: CellName
    units: int
    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """The title: "GRU 128"."""
        return f"{CELLS[self.cell].title} {self.units}"

    @property
    def key(self) -> str:
        """The name in file names."""
        return f"{self.cell}-{self.units}"

    @property
    def state(self) -> int:
        """Numbers in the state from token to token."""
        return self.units * len(CELLS[self.cell].states)

    def multiplications(self, embedding: int) -> int:
        """Return the multiplications of a token: its cost on any machine."""
        return CELLS[self.cell].multiplications(inputs=embedding, units=self.units)


def list_contestants(
    cells: Sequence[CellName], *, units: int, embedding: int, labels: int
) -> list[Contestant]:
    """Return every cell at width `units`, then cells at other widths for equal weights."""
    reference = REFERENCE if REFERENCE in cells else cells[0]
    budget = count_weights(reference, units=units, embedding=embedding, labels=labels)
    fair = {
        cell: find_units(cell, weights=budget, embedding=embedding, labels=labels) for cell in cells
    }
    both: tuple[Condition, ...] = ("equal width", "equal weights")
    return [
        Contestant(cell=cell, units=units, conditions=both if fair[cell] == units else both[:1])
        for cell in cells
    ] + [
        Contestant(cell=cell, units=fair[cell], conditions=both[1:])
        for cell in cells
        if fair[cell] != units
    ]


def keep_started(
    contestants: Sequence[Contestant], cells: Container[CellName], *, units: int
) -> list[Contestant]:
    """Return the contestants of these cells that start from networks of the width `units`.

    They take part at that width alone, since a network of another width cannot start there.
    """
    return [
        replace(each, conditions=("equal width",))
        for each in contestants
        if each.cell in cells and "equal width" in each.conditions and each.units == units
    ]


def order_by_cost(contestants: Sequence[Contestant], *, embedding: int) -> list[Contestant]:
    """Return contestants, the cheapest first: by multiplications, then by the size of the state.

    Contestants of equal weights count as equally expensive.
    """
    reference = next((each for each in contestants if len(each.conditions) == 2), contestants[0])
    equal = reference.multiplications(embedding)

    def cost(each: Contestant) -> tuple[int, int]:
        same = "equal weights" in each.conditions
        return equal if same else each.multiplications(embedding), each.state

    return sorted(contestants, key=cost)


def count_weights(cell: CellName, *, units: int, embedding: int, labels: int) -> int:
    """Return the number of weights of a recurrent layer and of the dense layer behind its pool.

    The embedding does not count; it is the same for all contestants.
    """
    recurrent = CELLS[cell].count_weights(inputs=embedding, units=units)
    return recurrent + (3 * units + 1) * labels


def find_units(cell: CellName, *, weights: int, embedding: int, labels: int) -> int:
    """Return the width at which a cell's number of weights is nearest to `weights`."""
    return min(
        range(1, WIDEST + 1),
        key=lambda units: abs(
            count_weights(cell, units=units, embedding=embedding, labels=labels) - weights
        ),
    )
