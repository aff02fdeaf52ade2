"""Counts the rooms, floors, arrows and circles of a view on a checkout.

- A room is a file, or a folder taken as a whole. A view opens some folders: their files and their
  folders are rooms of their own.
- A file or folder of under 40 lines that no arrow of the view touches is not a room. Neither is an
  `__init__.py` that defines no function and no class.
- An arrow from A to B means that A imports B. Several imports between two rooms are one arrow.
- A room stands one floor above the highest room that it imports. A room that imports none stands
  on floor 1.
- A circle is a group of files each of which reaches all others by arrows. It counts files, not
  rooms, so a folder cannot hide a circle.
- Rooms in a loop have no floors until the loop is opened. The fewest arrows that open it point
  upwards. Among equals these are the ones that leave the fewest floors, then the first in the
  alphabet.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.structure.imports import FACE, Arrow, Arrows, Imports, Kind

SMALL = 40  # lines
Pair = tuple[str, str]
Graph = dict[str, set[str]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The floor of each room, and the arrows between rooms; paths of folders end with a slash."""

    view: str
    floors: dict[str, int]
    arrows: Arrows
    upwards: frozenset[Pair]
    circles: list[list[str]]  # of files

    @property
    def height(self) -> int:
        """The number of floors."""
        return max(self.floors.values(), default=0)

    def count(self, kind: Kind) -> int:
        """Count the arrows whose most binding import is of a kind."""
        return sum(arrow.kind is kind for arrow in self.arrows.values())


def plan_views(imports: Imports, folders: Sequence[str]) -> list[Plan]:
    """Return the plans of the repository, of some folders and of every file by itself.

    The view on the repository opens the one folder that has the most lines of Python: closed, it
    would hide most of the code.
    """
    biggest = max(folders, key=lambda folder: _count_lines(imports, folder))
    plans = [_plan(f"repository, {biggest} opened", imports, _rooms("", opened=biggest))]
    plans += [_plan(folder, imports, _rooms(folder, opened=folder)) for folder in folders]
    return [*plans, _plan("every file", imports, lambda path: path)]


def _count_lines(imports: Imports, folder: str) -> int:
    return sum(
        file.lines
        for path, file in imports.files.items()
        if path.startswith(folder) and path.endswith(".py")
    )


def _rooms(place: str, *, opened: str) -> Callable[[str], str | None]:
    """Return the function from a file to its room in a view, None outside its place."""

    def room_of(path: str) -> str | None:
        if not path.startswith(place):
            return None
        outer = opened if path.startswith(opened) else ""
        first, slash, _ = path[len(outer) :].partition("/")
        return outer + first + slash

    return room_of


def _plan(view: str, imports: Imports, room_of: Callable[[str], str | None]) -> Plan:
    rooms = {
        path: room
        for path, file in imports.files.items()
        if (room := room_of(path)) and (file.defines or not path.endswith(FACE))
    }
    arrows: Arrows = {}
    for (path, target), arrow in imports.arrows.items():
        pair = rooms.get(path), rooms.get(target)
        if pair[0] and pair[1] and pair[0] != pair[1]:
            arrows.setdefault((pair[0], pair[1]), Arrow()).add(arrow.names, arrow.kind)
    lines: dict[str, int] = {}
    for path, room in rooms.items():
        lines[room] = lines.get(room, 0) + imports.files[path].lines
    tied = set(itertools.chain.from_iterable(arrows))
    kept = [room for room, number in lines.items() if room in tied or number >= SMALL]
    upwards = frozenset(_find_upwards(kept, arrows))
    files = [pair for pair in imports.arrows if pair[0] in rooms and pair[1] in rooms]
    return Plan(
        view=view,
        floors=_stack(kept, arrows.keys() - upwards),
        arrows=arrows,
        upwards=upwards,
        circles=find_loops(files),
    )


def _stack(rooms: Iterable[str], arrows: Iterable[Pair]) -> dict[str, int]:
    """Return the floor of each room; the arrows have no loop."""
    below = _graph(arrows)
    floors: dict[str, int] = {}

    def floor_of(room: str) -> int:
        if room not in floors:
            floors[room] = 1 + max(map(floor_of, below.get(room, ())), default=0)
        return floors[room]

    return {room: floor_of(room) for room in rooms}


def find_loops(arrows: Iterable[Pair]) -> list[list[str]]:
    """Return the groups of places that reach one another, each sorted."""
    graph = _graph(arrows)
    reached = {place: reach(graph, place) for place in graph}
    groups = {
        frozenset(other for other in reached[place] if place in reached.get(other, ()))
        for place in graph
        if place in reached[place]
    }
    return sorted(sorted(group) for group in groups)


def reach(graph: Graph, start: str) -> set[str]:
    """Return all places on a way of one arrow or more from a place."""
    found: set[str] = set()
    open_ends = [start]
    while open_ends:
        new = graph.get(open_ends.pop(), set()) - found
        found |= new
        open_ends += new
    return found


def _graph(arrows: Iterable[Pair]) -> Graph:
    graph: Graph = {}
    for start, end in arrows:
        graph.setdefault(start, set()).add(end)
    return graph


def _find_upwards(rooms: Sequence[str], arrows: Iterable[Pair]) -> set[Pair]:
    """Return the arrows that must go for the others to have no loop."""
    pairs = set(arrows)
    choices = [
        _open_loop(sorted(pair for pair in pairs if pair[0] in loop and pair[1] in loop))
        for loop in find_loops(pairs)
    ]
    cuts = [set(itertools.chain(*cut)) for cut in itertools.product(*choices)]
    return min(cuts, key=lambda cut: max(_stack(rooms, pairs - cut).values(), default=0))


def _open_loop(inner: list[Pair]) -> list[tuple[Pair, ...]]:
    """Return every smallest group of arrows without which a loop is none."""
    for size in range(1, len(inner)):
        cuts = itertools.combinations(inner, size)
        if found := [cut for cut in cuts if not find_loops(set(inner) - set(cut))]:
            return found
    raise ValueError(f"no loop: {inner}")


def implied(arrows: Iterable[Pair]) -> set[Pair]:
    """Return the arrows whose end is reached by a longer way too; the arrows have no loop."""
    graph = _graph(arrows)
    return {
        (start, end)
        for start, ends in graph.items()
        for end in ends
        if any(end in reach(graph, other) for other in ends)
    }
