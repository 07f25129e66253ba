"""The page that shows how fresh every table is: static files, fed by the answers of `/freshness`.

It asks nobody but the server it came from, and a policy in its headers holds the browser to that.
"""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

_FILES = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Asked for each time, and answered with 304: an upgrade must not mix old and new files.
    "Cache-Control": "private, no-cache",
}


def pages() -> APIRouter:
    """Return the routes: ``/page`` and ``/page/files/…``. Whoever includes them guards them.

    The page asks for ``freshness`` beside it, so both lie below one prefix, and Airflow above it.
    """
    router = APIRouter(include_in_schema=False)
    files = StaticFiles(directory=_FILES)

    @router.get("/page")
    async def page(request: Request) -> Response:
        return await _answer(files, "page.html", request)

    @router.get("/page/files/{name:path}")
    async def file(name: str, request: Request) -> Response:
        return await _answer(files, name, request)

    return router


async def _answer(files: StaticFiles, name: str, request: Request) -> Response:
    response = await files.get_response(name, request.scope)
    response.headers.update(HEADERS)
    return response
