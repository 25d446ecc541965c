"""Serves the page, which is the build of `frontend/`."""

from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.paths import API, DOCS, add_mount, is_below, is_page, strip_mount
from understudy.errors import NotFound
from understudy.security_headers import PAGE_POLICY

BUILT = Path(__file__).resolve().parents[1] / "page"

# Vite puts a digest of the content into the names of these files.
_HASHED = "/assets"

_NOT_BUILT = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Understudy</title>
<style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}}</style>
<h1>The server is up; its page is not built</h1>
<p>Run <code>make page</code> in the checkout, then start the server again. It uses Node.js 20.19 or newer, or the one
that comes with the environment.</p>
<p>Everything works without it: see <a href=".{DOCS}">the API</a> and <code>understudy --help</code>.</p>
</html>
"""


def install_page(app: FastAPI, folder: Path = BUILT) -> None:
    """Serve the build in `folder` at `/`, and its index.html for the page's own addresses.

    Call it after every other route is added. Without a build, `/` says how to make one.
    """
    router = APIRouter(dependencies=[*require(Action.LOAD_PAGE), Depends(_set_page_headers)])
    if (folder / "index.html").is_file():
        router.frontend("/", directory=folder, fallback="index.html", check_dir=True)
        router.frontend(_HASHED, directory=folder / _HASHED[1:], fallback=None, check_dir=True)
        app.add_middleware(_CompressedAssets)
        app.add_middleware(_MountedPage)
    else:

        @router.get("/", include_in_schema=False)
        async def not_built() -> HTMLResponse:
            return HTMLResponse(_NOT_BUILT)

    app.include_router(router)


def _set_page_headers(request: Request, response: Response) -> None:
    """Set the headers of the page's files. Raises NotFound for an address of the API."""
    path = strip_mount(request.scope)
    if not is_page(path):
        raise NotFound(f"Nothing is served at {request.url.path}.")
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if path.startswith(f"{_HASHED}/") else "no-cache"
    )
    response.headers["Content-Security-Policy"] = PAGE_POLICY


class _MountedPage:
    """Turns the relative addresses of index.html into those of the place where the application is mounted.

    The page's own addresses have several levels (`/models/3`), so that the browser cannot resolve relative ones.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_below(strip_mount(scope), API):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        held = b""

        async def send_absolute(message: Message) -> None:
            nonlocal start, held
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
                return
            if start is None:
                await send(message)
                return
            held += message.get("body", b"")
            if message.get("more_body", False):
                return
            page = held.replace(b'="./', f'="{add_mount(scope, "/")}'.encode())
            MutableHeaders(raw=start["headers"])["content-length"] = str(len(page))
            await send(start)
            await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, send_absolute)


def _is_html(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return headers.get("content-type", "").startswith("text/html") and start["status"] == HTTPStatus.OK


class _CompressedAssets:
    """Compresses the page's files only: predictions are small, and events must not wait for a full buffer."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressed = GZipMiddleware(app, minimum_size=1024, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asset = scope["type"] == "http" and strip_mount(scope).startswith(f"{_HASHED}/")
        await (self._compressed if is_asset else self._plain)(scope, receive, send)
