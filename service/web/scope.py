"""What is noted of a request in its scope, where all that handle it find it."""

from collections.abc import Callable

from starlette.types import Scope

UNKNOWN = "unknown"
"""In the place of the route, where a path leads to none or no request was understood."""

_ERROR = "gatewise.error"
_ARRIVAL = "gatewise.arrival"


def route_of(scope: Scope) -> str:
    """Return the route that a request came to.

    Unknown paths are one, or a scanner could fill the memory with the labels of metrics.
    """
    path: str = getattr(scope.get("route"), "path", UNKNOWN)
    return path


def note_error(scope: Scope, kind: str) -> None:
    """Note the type of the error that is the answer."""
    scope[_ERROR] = kind


def error_of(scope: Scope) -> str | None:
    """Return the type of the error that was the answer; None if it was none."""
    kind: str | None = scope.get(_ERROR)
    return kind


def note_arrival(scope: Scope, has_all: Callable[[], bool]) -> None:
    """Note what tells whether all of a body has come."""
    scope[_ARRIVAL] = has_all


def has_arrived(scope: Scope) -> bool:
    """Whether it is known that all of a body has come, so that nothing is to be awaited."""
    has_all: Callable[[], bool] | None = scope.get(_ARRIVAL)
    return has_all is not None and has_all()
