"""The page and what it talks to: its files, its gestures, and a socket that keeps it current."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
from importlib.resources import files

from aiohttp import web

from bot.workspace.gestures import GestureRefused, perform
from bot.workspace.page_view import messages_seen, surroundings
from bot.workspace.records import Json
from bot.workspace.workspace import Workspace

log = logging.getLogger(__name__)

#: Changes are gathered for so long before they are shown, in seconds.
GATHER_SECONDS = 0.04

#: Nothing is loaded from elsewhere, and no other page may show this one in a frame.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class PageApi:
    """Serves `/`, `/page/FILE`, `/ui/act` and `/ui/live`.

    The token stands in the page itself: another web page can neither read it nor guess it, so it
    cannot act here in anybody's name.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Take the workspace."""
        self._workspace = workspace
        self._token = secrets.token_urlsafe(24)

    def routes(self) -> list[web.RouteDef]:
        """Return where the browser calls."""
        return [
            web.get("/", self._index),
            web.get("/archives/{channel}/{message}", self._permalink),
            web.get("/page/{name}", self._asset),
            web.post("/ui/act", self._act),
            web.get("/ui/live", self._live),
        ]

    def is_page(self, token: str) -> bool:
        """Return whether a token is the page's."""
        return hmac.compare_digest(token.encode(), self._token.encode())

    async def _index(self, _: web.Request) -> web.Response:
        page = (files("bot.workspace") / "page" / "index.html").read_text("utf-8")
        text = page.replace("{{token}}", self._token)
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def _permalink(self, request: web.Request) -> web.Response:
        channel, message = request.match_info["channel"], request.match_info["message"]
        ts = f"{message[1:-6]}.{message[-6:]}"
        thread = request.query.get("thread_ts")
        target = f"/#/{channel}/thread/{thread}" if thread else f"/#/{channel}/at/{ts}"
        raise web.HTTPFound(target)

    async def _asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        kind = _TYPES.get(name[name.rfind(".") :])
        asset = files("bot.workspace") / "page" / name
        if kind is None or "/" in name or not asset.is_file():
            raise web.HTTPNotFound
        return web.Response(text=asset.read_text("utf-8"), content_type=kind, headers=_HEADERS)

    async def _act(self, request: web.Request) -> web.Response:
        """Do a gesture. It may wait for the app's acknowledgement, so it has its own thread."""
        if not self.is_page(request.headers.get("X-Page-Token", "")):
            raise web.HTTPForbidden(text="the page's token is needed")
        details: Json = await request.json()
        try:
            person = self._workspace.person(str(details.pop("as")))
            gesture = str(details.pop("gesture"))
            result = await asyncio.to_thread(perform, person, gesture, details)
        except (KeyError, GestureRefused) as refused:
            return web.json_response({"is_ok": False, "error": str(refused)}, status=400)
        return web.json_response({"is_ok": True, **result})

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Send what somebody sees, then every change to it."""
        if not self.is_page(request.query.get("token", "")):
            raise web.HTTPForbidden(text="the page's token is needed")
        try:
            user = self._workspace.user(request.query["as"]).id
        except KeyError as error:
            raise web.HTTPNotFound(text="nobody here is called that") from error
        socket = web.WebSocketResponse(timeout=0.5, heartbeat=20.0)
        await socket.prepare(request)
        changed = asyncio.Event()
        changed.set()
        loop = asyncio.get_running_loop()

        def note() -> None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
                loop.call_soon_threadsafe(changed.set)

        stop_listening = self._workspace.listen(note)
        sending = asyncio.create_task(self._send_changes(socket, user, changed))
        try:
            async for _ in socket:
                pass
        finally:
            stop_listening()
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
        return socket

    async def _send_changes(
        self, socket: web.WebSocketResponse, user: str, changed: asyncio.Event
    ) -> None:
        """Send changes until the page is gone; if that fails, the page connects anew.

        With the socket left open the page would stay as it is for good, without a word.
        """
        try:
            await self._send_each_change(socket, user, changed)
        except ConnectionError:
            pass  # the page is gone
        except Exception:
            log.exception("a page was not shown a change user=%s", user)
            await socket.close()

    async def _send_each_change(
        self, socket: web.WebSocketResponse, user: str, changed: asyncio.Event
    ) -> None:
        seen, last_rest = -1, ""
        while not socket.closed:
            with contextlib.suppress(TimeoutError):  # statuses end by themselves
                await asyncio.wait_for(changed.wait(), 5.0)
            changed.clear()
            with self._workspace.lock:
                messages, gone = messages_seen(self._workspace, user, seen)
                rest = surroundings(self._workspace, user)
                seen = self._workspace.revision
            update: Json = {}
            if messages or gone:
                update |= {"messages": messages, "gone": gone}
            if (rest_text := json.dumps(rest)) != last_rest:
                update["rest"], last_rest = rest, rest_text
            if update:
                await socket.send_str(json.dumps(update))
            await asyncio.sleep(GATHER_SECONDS)
