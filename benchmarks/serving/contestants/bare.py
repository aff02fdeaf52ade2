"""The least work of uvicorn for a request: read the body and answer a constant."""

from starlette.types import Receive, Scope, Send

ANSWER = b'{"label":"pos","score":0.9867684,"probabilities":{"pos":0.9867684,"neg":0.0132315}}'
HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(ANSWER)).encode()),
]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request of ASGI."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})
