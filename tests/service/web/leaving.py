"""A client that leaves while it sends the body of a request."""

import asyncio
from typing import Any

from fastapi.testclient import TestClient


def leave_while_sending(client: TestClient, path: str) -> list[dict[str, Any]]:
    """Begin a POST with the headers of a client, and leave; return what was sent all the same."""
    headers = client.headers | {"content-type": "application/json"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    came = iter([{"type": "http.request", "body": b"{", "more_body": True}])
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(came, {"type": "http.disconnect"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(client.app(scope, receive, send))
    return sent
