"""The web page: server-rendered, refreshed piece by piece with htmx."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)
_HERE = Path(__file__).parent


def static_files() -> StaticFiles:
    """Styles and scripts."""
    return StaticFiles(directory=_HERE / "static")


@router.get("/")
async def page() -> HTMLResponse:
    """The page."""
    return HTMLResponse("<!doctype html><title>Lectern</title>")
