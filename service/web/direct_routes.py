"""A shorter way for the requests that come most."""

from collections.abc import Awaitable, Callable, Iterable

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import ServiceError
from service.web.errors import answer_error

Endpoint = Callable[[Request], Awaitable[Response]]


class DirectRoutes:
    """Calls some endpoints directly, past FastAPI's routing and dependencies.

    They take longer than all else that is done for a short text but computing it. The endpoints
    must be routes of the application all the same, for their documentation; they take the request
    and return a response, so nothing of what FastAPI would do is missing.

    Args:
        app: The application around which it lies.
        routes: The endpoints' routes.
        prefix: What stands before the paths of routes.
    """

    def __init__(self, app: ASGIApp, *, routes: Iterable[Route], prefix: str) -> None:
        self._app = app
        self._routes = {
            (prefix + route.path, method): route
            for route in routes
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, as ASGI asks."""
        route = self._find(scope)
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        request = Request(scope, receive, send)
        endpoint: Endpoint = route.endpoint
        try:
            response = await endpoint(request)
        except (ServiceError, HTTPException) as error:
            response = answer_error(error, scope=scope)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> Route | None:
        if scope["type"] != "http":
            return None
        return self._routes.get((scope["path"], scope["method"]))


def find_route(router: APIRouter, endpoint: Endpoint) -> Route:
    """Return the route of an endpoint."""
    routes = (route for route in router.routes if isinstance(route, Route))
    return next(route for route in routes if route.endpoint is endpoint)
