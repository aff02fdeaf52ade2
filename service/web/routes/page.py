"""`GET /`: a page to try a model on."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

router = APIRouter()
FOLDER = Path(__file__).resolve().parents[1] / "page"

# No other host is asked, so no other host learns what is typed.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/", include_in_schema=False)
async def show(request: Request) -> Response:
    """Give the page. What it asks for stays below the path prefix, at whatever path it is shown."""
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    if prefix := request.scope.get("root_path", ""):
        page = page.replace("<head>", f'<head>\n<base href="{prefix}/">', 1)
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


def make_files() -> StaticFiles:
    """Return what gives the files of which the page is made."""
    return StaticFiles(directory=FOLDER)
