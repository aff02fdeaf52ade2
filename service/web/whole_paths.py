"""Paths that lead somewhere only as a whole."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from service.web.errors import answer_error


class WholePaths:
    """Finds nothing at a path with a line end behind it.

    Starlette's patterns end in "$", which also matches before that. So the path would come to a
    route whose own path it is not, past keys and proxies that look for that one.

    Args:
        app: The application around which it lies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, as ASGI asks."""
        if scope["type"] != "lifespan" and scope["path"].endswith("\n"):
            nothing = answer_error(HTTPException(404), scope=scope)
            await nothing(scope, receive, send)
        else:
            await self._app(scope, receive, send)
