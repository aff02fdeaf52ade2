"""Places the rooms of a plan on paper: floors from the ground up, each on the rows it needs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from benchmarks.structure.plan import Plan

ROW, ROW_GAP, FLOOR_GAP, GAP = 13.0, 5.0, 12.0, 6.0  # points
SWEEPS = 12  # over the floors, up and down


@dataclass(kw_only=True)
class Box:
    """A room on paper: its left lower corner and its width, in points; it is `ROW` high."""

    left: float = 0.0
    bottom: float = 0.0
    width: float

    @property
    def middle(self) -> float:
        """The middle between left and right."""
        return self.left + self.width / 2


@dataclass(frozen=True, kw_only=True)
class Places:
    """The boxes of a plan, the lower and upper edge of each floor, and the height of all."""

    boxes: dict[str, Box]
    floors: list[tuple[float, float]]
    height: float


def place_rooms(plan: Plan, *, width: float, measure: Callable[[str], float]) -> Places:
    """Place the rooms on floors of a width in points; `measure` gives the width of a room."""
    boxes = {room: Box(width=measure(room)) for room in plan.floors}
    floors = [
        sorted(room for room, floor in plan.floors.items() if floor == number)
        for number in range(1, plan.height + 1)
    ]
    rows = [list(_break(floor, boxes, width)) for floor in floors]
    for row in _flatten(rows):
        _spread(row, boxes, width)
    neighbours = _find_neighbours(plan)
    for sweep in range(SWEEPS):
        for index in range(plan.height)[:: 1 if sweep % 2 else -1]:
            floors[index].sort(key=lambda room: _pull(room, neighbours, boxes))
            rows[index] = list(_deal(floors[index], boxes, width))
            for row in rows[index]:
                _spread(row, boxes, width)
    return _stand(rows, boxes)


def _find_neighbours(plan: Plan) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for start, end in plan.arrows:
        found.setdefault(start, set()).add(end)
        found.setdefault(end, set()).add(start)
    return found


def _pull(room: str, neighbours: dict[str, set[str]], boxes: dict[str, Box]) -> float:
    """Return where on the line a room would stand to be near those it is tied to."""
    around = [boxes[other].middle for other in sorted(neighbours.get(room, ()))]
    return sum(around) / len(around) if around else boxes[room].middle


def _break(floor: Iterable[str], boxes: dict[str, Box], width: float) -> Iterator[list[str]]:
    """Yield rows of rooms in their order, each no wider than a width."""
    row: list[str] = []
    taken = 0.0
    for room in floor:
        if row and taken + boxes[room].width > width:
            yield row
            row, taken = [], 0.0
        row.append(room)
        taken += boxes[room].width + GAP
    yield row


def _deal(floor: list[str], boxes: dict[str, Box], width: float) -> list[list[str]]:
    """Deal rooms out to rows of about the same length, each in the order of the floor."""
    number = len(list(_break(floor, boxes, width)))
    while True:
        rows = [floor[first::number] for first in range(number)]
        if all(sum(boxes[room].width + GAP for room in row) - GAP <= width for row in rows):
            return rows
        number += 1


def _spread(row: list[str], boxes: dict[str, Box], width: float) -> None:
    """Set a row in the middle, with gaps that grow as far as the row allows."""
    free = width - sum(boxes[room].width for room in row)
    gap = min(free / (len(row) + 1), 5 * GAP)
    left = (free - gap * (len(row) - 1)) / 2
    for room in row:
        boxes[room].left = left
        left += boxes[room].width + gap


def _stand(rows: list[list[list[str]]], boxes: dict[str, Box]) -> Places:
    """Set the floors on one another."""
    bottom, edges = 0.0, []
    for floor in rows:
        start = bottom
        for row in floor:
            for room in row:
                boxes[room].bottom = bottom
            bottom += ROW + ROW_GAP
        edges.append((start, bottom - ROW_GAP))
        bottom += FLOOR_GAP - ROW_GAP
    return Places(boxes=boxes, floors=edges, height=bottom - FLOOR_GAP)


def _flatten(rows: list[list[list[str]]]) -> Iterator[list[str]]:
    for floor in rows:
        yield from floor
