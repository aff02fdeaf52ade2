"""What the OpenAPI document says of API keys, for `/docs` and for clients made from it."""

from typing import Any

from fastapi import FastAPI

from service.web.access.guard import scope_of
from service.web.access.keys import Scope

_SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The API key, `gw_…`."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_EITHER: list[dict[str, list[str]]] = [{name: []} for name in _SCHEMES]


def document_keys(app: FastAPI) -> None:
    """Have the document of an application name the ways to show a key, and the routes that take it.

    A service may ask for no keys, so most routes say that they can do without one.
    """
    make = app.openapi

    def document() -> dict[str, Any]:
        made = make()  # the same object each time
        made["components"]["securitySchemes"] = _SCHEMES
        for path, operations in made["paths"].items():
            if (scope := scope_of(path)) is not None:
                for operation in operations.values():
                    operation["security"] = _EITHER if scope is Scope.ADMIN else [*_EITHER, {}]
        return made

    app.openapi = document  # type: ignore[method-assign]
