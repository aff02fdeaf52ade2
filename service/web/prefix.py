"""The path below which a proxy offers the service."""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class PathPrefix:
    """Places each request below a prefix, whether or not the proxy has taken it off the path.

    Behind it `path` has the prefix and `root_path` is the prefix, as ASGI defines them.

    Args:
        app: The application around which it lies.
        prefix: As /a/b. No path of the application begins with it.
    """

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, as ASGI asks."""
        if scope["type"] in ("http", "websocket"):
            scope = self._place(scope)
        await self._app(scope, receive, send)

    def _place(self, scope: Scope) -> Scope:
        placed = {**scope, "root_path": self._prefix}
        if not f"{scope['path']}/".startswith(f"{self._prefix}/"):
            placed["path"] = self._prefix + scope["path"]
            placed["raw_path"] = self._prefix.encode() + (scope.get("raw_path") or b"")
        return placed


class OwnRedirects:
    """Leaves scheme and host out of redirects.

    Behind a proxy the service knows neither, and all of its redirects lead to paths of its own.

    Args:
        app: The application around which it lies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, as ASGI asks."""

        async def send_path(message: Message) -> None:
            if message["type"] == "http.response.start" and 300 <= message["status"] < 400:
                message["headers"] = [
                    (name, _path_of(value) if name == b"location" else value)
                    for name, value in message["headers"]
                ]
            await send(message)

        await self._app(scope, receive, send_path)


def _path_of(url: bytes) -> bytes:
    parts = urlsplit(url)
    path = b"/" + parts.path.lstrip(b"/")  # with two it would begin with a host
    return path + b"?" + parts.query if parts.query else path
