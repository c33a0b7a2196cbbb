"""The workspace on a port of this machine, with an event loop in a thread of its own."""

from __future__ import annotations

import hmac
import ipaddress
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.aiohttp_thread import AiohttpThread
from bot.workspace.page_api import PageApi
from bot.workspace.web_api import WebApi
from bot.workspace.workspace import Workspace

#: The largest request taken, in bytes: a file of 50 MB and what is around it.
LARGEST_REQUEST = 51_000_000


class WorkspaceServer:
    """Serves a workspace to the app and to the page. Only this machine can reach it.

    Give the app `WebClient(base_url=server.base_url, token=server.bot_token)` and
    `SocketModeHandler(app, server.app_token)`; open `server.page_url` in a browser.
    """

    def __init__(
        self,
        workspace: Workspace,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        bot_token: str | None = None,
        app_token: str | None = None,
    ) -> None:
        """Take the workspace and where to serve it.

        Args:
            workspace: What to serve.
            host: A loopback address.
            port: 0 chooses a free one.
            bot_token: What the app shows to call methods; random if None.
            app_token: What the app shows to open a socket; random if None.

        Raises:
            ValueError: the host is not a loopback address.
        """
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the workspace is served on this machine only, not on {host}")
        self.bot_token = bot_token or f"xoxb-workspace-{secrets.token_hex(16)}"
        self.app_token = app_token or f"xapp-workspace-{secrets.token_hex(16)}"
        self._workspace = workspace
        #: What answers the app's calls; also by another address, if several workspaces share one.
        self.api = WebApi(workspace, bot_token=self.bot_token, app_token=self.app_token)
        self._page = PageApi(workspace)
        self._server = AiohttpThread(
            self._application, host, port, name="workspace", shutdown_seconds=1.0
        )

    @property
    def port(self) -> int:
        """The port, once the server has started."""
        return self._server.port

    @property
    def origin(self) -> str:
        """The address without a path."""
        return f"http://{self._server.host}:{self.port}"

    @property
    def base_url(self) -> str:
        """What to give to `WebClient(base_url=...)`."""
        return f"{self.origin}/api/"

    @property
    def page_url(self) -> str:
        """What to open in a browser."""
        return f"{self.origin}/"

    def start(self) -> WorkspaceServer:
        """Start serving and return when the port is open.

        Raises:
            OSError: the port cannot be had.
        """
        self._server.start(self._open, self._workspace.sockets.close)
        return self

    def stop(self) -> None:
        """Stop serving, cut connections and save."""
        self._server.stop()
        self._workspace.close()

    def __enter__(self) -> WorkspaceServer:
        return self if self._server.is_running else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _application(self) -> web.Application:
        application = web.Application(
            middlewares=[_only_called(self._server.host)], client_max_size=LARGEST_REQUEST
        )
        application.add_routes([*self.api.routes(), *self._page.routes()])
        application.router.add_get("/files/{file}/{name:.*}", self._file)
        return application

    def _open(self) -> None:
        with self._workspace.lock:
            self._workspace.state.origin = self.origin
        self._workspace.sockets.open()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """Give a file to the app (with its token) or to the page (with the page's)."""
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        is_app = hmac.compare_digest(shown.encode(), self.bot_token.encode())
        if is_app and not self._workspace.installation.may_read_files:
            raise web.HTTPForbidden(text="the app lacks the scope files:read")
        if not is_app and not self._page.is_page(request.query.get("page_token", "")):
            raise web.HTTPForbidden(text="a token is needed")
        with self._workspace.lock:
            file = self._workspace.state.files.get(request.match_info["file"])
        if file is None or not file.is_complete:
            raise web.HTTPNotFound(text="there is no such file")
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
            "Content-Disposition": "inline" if file.mimetype.startswith("image/") else "attachment",
        }
        return web.Response(body=file.content, content_type=file.mimetype, headers=headers)


def _only_called(host: str) -> Middleware:
    """Refuse requests by another name than this machine's, as a rebound DNS name would make."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = request.host.rsplit(":", 1)[0]
        if name not in ("127.0.0.1", "localhost", "[::1]", host):
            raise web.HTTPForbidden(text="this server answers to loopback addresses only")
        return await handler(request)

    return check
