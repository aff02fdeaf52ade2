"""Which pages of other origins may ask the service from a browser (CORS)."""

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

EXPOSED = ("X-Request-Id", "Server-Timing", "Retry-After")
"""Headers of an answer that such a page may read."""


def allow_origins(app: ASGIApp, *, origins: Collection[str]) -> ASGIApp:
    """Return the application, answering pages of these origins too; itself if there are none.

    Args:
        app: What answers requests.
        origins: As browsers send them; "*" for all.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "HEAD", "POST"),
        allow_headers=("*",),
        expose_headers=EXPOSED,
    )
