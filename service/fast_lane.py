"""A shorter way for the requests that come most."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import answer_error

Endpoint = Callable[[Request], Awaitable[Response]]


class FastLane:
    """Calls one endpoint directly, past FastAPI's routing and dependencies.

    They take longer than all else that is done for a short text but computing it. The endpoint
    must be a route of the application all the same, for its documentation; it takes the request
    and returns a response, so nothing of what FastAPI would do is missing.

    Args:
        app: The application around which it lies.
        route: The endpoint's route.
    """

    def __init__(self, app: ASGIApp, *, route: Route) -> None:
        self._app = app
        self._route = route
        self._endpoint: Endpoint = route.endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, as ASGI asks."""
        if not self._leads_to(scope):
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        request = Request(scope, receive, send)
        try:
            response = await self._endpoint(request)
        except HTTPException as error:
            response = answer_error(error)
        await response(scope, receive, send)

    def _leads_to(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["path"] == self._route.path
            and scope["method"] in (self._route.methods or ())
        )


def find_route(router: APIRouter, endpoint: Endpoint) -> Route:
    """Return the route of an endpoint."""
    routes = (route for route in router.routes if isinstance(route, Route))
    return next(route for route in routes if route.endpoint is endpoint)
