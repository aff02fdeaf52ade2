"""`GET /`: a page to try a model on."""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

router = APIRouter()
FOLDER = Path(__file__).resolve().parents[1] / "page"

# No other host is asked, so no other host learns what is typed.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/", include_in_schema=False)
async def show() -> Response:
    """Give the page."""
    return FileResponse(
        FOLDER / "index.html",
        headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"},
    )


def make_files() -> StaticFiles:
    """Return what gives the files of which the page is made."""
    return StaticFiles(directory=FOLDER)
