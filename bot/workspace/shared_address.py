"""One address for several workspaces, as Slack has one for all: with OAuth and signed requests."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

from aiohttp import BasicAuth, web

from bot.aiohttp_thread import AiohttpThread
from bot.workspace.delivery import Acknowledgement, Kind
from bot.workspace.records import Json
from bot.workspace.server import WorkspaceServer
from bot.workspace.workspace import Workspace


class SharedAddress:
    """Hands each call to the workspace whose token it shows, and exchanges codes for tokens."""

    def __init__(
        self,
        workspaces: Mapping[str, tuple[Workspace, WorkspaceServer]],
        client_id: str,
        client_secret: str,
    ) -> None:
        """Take the workspaces by their ids, and what the app shows to be given a token."""
        self._workspaces = dict(workspaces)
        self._client = (client_id, client_secret)
        self._codes: dict[str, str] = {}
        self._server = AiohttpThread(
            self._application, "127.0.0.1", 0, name="slack", shutdown_seconds=1.0
        )

    @property
    def base_url(self) -> str:
        """What to give to `WebClient(base_url=...)`."""
        return f"http://{self._server.host}:{self._server.port}/api/"

    def __enter__(self) -> SharedAddress:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def agree(self, team_id: str) -> str:
        """Let somebody in a workspace say yes to the app: the code Slack sends them back with."""
        code = secrets.token_hex(12)
        self._codes[code] = team_id
        return code

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=1_000_000)
        application.router.add_post("/api/oauth.v2.access", self._exchange)
        application.router.add_route("*", "/api/{method}", self._call)
        return application

    async def _call(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        for _, server in self._workspaces.values():
            if hmac.compare_digest(token.encode(), server.bot_token.encode()):
                return await server.api.call(request)
        return web.json_response({"ok": False, "error": "invalid_auth"})

    async def _exchange(self, request: web.Request) -> web.Response:
        """Serve oauth.v2.access: a code is good once, and only for the app it was given to."""
        form = await request.post()
        shown = (str(form.get("client_id", "")), str(form.get("client_secret", "")))
        header = request.headers.get("Authorization", "")
        if header.startswith("Basic "):
            basic = BasicAuth.decode(header)
            shown = (basic.login, basic.password)
        if shown != self._client:
            return web.json_response({"ok": False, "error": "bad_client_secret"})
        team_id = self._codes.pop(str(form.get("code", "")), None)
        if team_id is None:
            return web.json_response({"ok": False, "error": "invalid_code"})
        workspace, server = self._workspaces[team_id]
        return web.json_response(
            {
                "ok": True,
                "app_id": workspace.state.app_id,
                "authed_user": {"id": workspace.person("Sindre").id},
                "scope": workspace.installation.provided,
                "token_type": "bot",
                "access_token": server.bot_token,
                "bot_user_id": workspace.bot_user_id,
                "team": {"id": team_id, "name": workspace.state.team_name},
                "enterprise": None,
                "is_enterprise_install": False,
            }
        )


class SignedRequests:
    """Delivers what happens in a workspace over HTTP, signed, instead of through a socket."""

    def __init__(self, url: str, signing_secret: str) -> None:
        """Take the app's address and what the requests are signed with."""
        if not url.startswith(("http://127.0.0.1:", "https://")):
            raise ValueError(f"requests are delivered on this machine or by https, not to {url}")
        self._url = url
        self._secret = signing_secret.encode()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="deliveries")

    def send(
        self, kind: Kind, payload: Json, *, takes_answer: bool = False, is_repetition: bool = False
    ) -> Future[Acknowledgement]:
        """Deliver a payload, as `Sockets.send` does; over HTTP everything may be answered."""
        del takes_answer
        return self._pool.submit(self._deliver, kind, payload, is_repetition)

    def close(self) -> None:
        """Deliver nothing more."""
        self._pool.shutdown(cancel_futures=True)

    def _deliver(self, kind: Kind, payload: Json, is_repetition: bool) -> Acknowledgement:
        if kind == "events_api":
            body, content_type = json.dumps(payload).encode(), "application/json"
        else:
            form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
            body, content_type = urlencode(form).encode(), "application/x-www-form-urlencoded"
        moment = str(int(time.time()))
        signed = b"v0:" + moment.encode() + b":" + body
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": moment,
            "X-Slack-Signature": "v0=" + hmac.new(self._secret, signed, hashlib.sha256).hexdigest(),
        }
        if is_repetition:
            headers |= {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        request = urllib.request.Request(  # noqa: S310 - the address was looked at
            self._url, data=body, headers=headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                return Acknowledgement(True, _answer(response.read().decode()))
        except (urllib.error.URLError, TimeoutError) as error:
            return Acknowledgement(False, error=str(error))


def _answer(text: str) -> Json:
    try:
        told: Any = json.loads(text) if text else {}
    except ValueError:
        told = {"text": text}
    return told if isinstance(told, dict) else {}
