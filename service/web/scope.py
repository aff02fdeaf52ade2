"""What is noted of a request in its scope, where all that handle it find it."""

from starlette.types import Scope

UNKNOWN = "unknown"
"""In the place of the route, where a path leads to none or no request was understood."""

_ERROR = "gatewise.error"


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
