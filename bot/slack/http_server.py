"""HTTP mode: Slack's requests on a port, let in only when Slack has signed them.

The signature is checked on the bytes as they came, before anything reads them: what is malformed
is answered 400 or 401 and never reaches Bolt.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import parse_qs

from aiohttp import web
from slack_bolt import App, BoltRequest, BoltResponse

from bot.aiohttp_thread import AiohttpThread

log = logging.getLogger(__name__)

#: Slack's own bodies are far smaller.
LARGEST_BODY = 1_000_000

#: How old a signature may be, in seconds, as Slack advises.
OLDEST_SECONDS = 300

#: Requests that are worked on at once; listeners only read and write SQL.
THREADS = 16

#: Slack's signing secrets have 32 characters; one that is much shorter is none.
SHORTEST_SECRET = 16


@dataclass(frozen=True)
class HttpSecrets:
    """What HTTP mode needs from the environment.

    With `client_id` and `client_secret` people install the app in workspaces of their own
    (`/slack/install`); without, it answers in the one workspace whose bot token is given.
    """

    signing_secret: str
    client_id: str = ""
    client_secret: str = ""

    def __post_init__(self) -> None:
        """Refuse secrets that cannot be right. Raises `ValueError`."""
        if len(self.signing_secret) < SHORTEST_SECRET:
            raise ValueError(
                "SLACK_SIGNING_SECRET must be set for HTTP mode; it stands under Basic "
                "Information in the app's settings at Slack."
            )
        if bool(self.client_id) != bool(self.client_secret):
            raise ValueError("Set both SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, or neither.")

    @property
    def has_oauth(self) -> bool:
        """Whether the app can be installed in several workspaces."""
        return bool(self.client_id)


class HttpServer:
    """Serves `/slack/events`, `/healthz` and, with OAuth, the two pages of an installation."""

    def __init__(self, app: App, secrets: HttpSecrets, host: str, port: int) -> None:
        """Take the Bolt app, the secrets, and where to listen (port 0: any free one)."""
        self._app = app
        self._signing_secret = secrets.signing_secret.encode()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="http")
        self._server = AiohttpThread(
            self._application, host, port, name="http", shutdown_seconds=5.0
        )

    @property
    def port(self) -> int:
        """The port, once the server has started."""
        return self._server.port

    def start(self) -> None:
        """Listen. Raises `OSError` when the port cannot be had."""
        self._server.start()
        log.info("listening for Slack host=%s port=%d", self._server.host, self.port)

    def stop(self) -> None:
        """Listen no more; what is being answered is answered."""
        self._server.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_post("/slack/events", self._event)
        application.router.add_get("/healthz", self._health)
        flow = self._app.oauth_flow
        if flow is not None:
            application.router.add_get(flow.install_path, self._install)
            application.router.add_get(flow.redirect_uri_path, self._installed)
        return application

    async def _event(self, request: web.Request) -> web.Response:
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text="too large")
        if not self._is_signed(raw, request):
            return web.Response(status=401, text="not signed by Slack")
        if not _is_well_formed(raw, request.content_type):
            return web.Response(status=400, text="malformed")
        return await self._bolt(request, raw.decode("utf-8"), "dispatch")

    async def _install(self, request: web.Request) -> web.Response:
        return await self._bolt(request, "", "install")

    async def _installed(self, request: web.Request) -> web.Response:
        return await self._bolt(request, "", "callback")

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    def _is_signed(self, raw: bytes, request: web.Request) -> bool:
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not timestamp.isascii() or not timestamp.isdigit() or not signature.isascii():
            return False
        if abs(time.time() - int(timestamp[:12])) > OLDEST_SECONDS:
            return False
        # slack_sdk's verifier decodes the body first, and stumbles over one that is no text.
        signed = b"v0:" + timestamp.encode() + b":" + raw
        digest = hmac.new(self._signing_secret, signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"v0={digest}", signature)

    async def _bolt(self, request: web.Request, body: str, what: str) -> web.Response:
        asked = BoltRequest(
            body=body,
            query=request.query_string,
            headers=dict(request.headers),
        )
        answer = await asyncio.get_running_loop().run_in_executor(
            self._pool, self._answer, asked, what
        )
        response = web.Response(status=answer.status, body=(answer.body or "").encode())
        for name, values in answer.headers.items():
            if name.lower() != "content-length":
                for value in values:
                    response.headers.add(name, value)
        return response

    def _answer(self, asked: BoltRequest, what: str) -> BoltResponse:
        flow = self._app.oauth_flow
        try:
            if what == "dispatch" or flow is None:
                return self._app.dispatch(asked)
            return (
                flow.handle_installation(asked)
                if what == "install"
                else flow.handle_callback(asked)
            )
        except Exception:
            log.exception("request failed")
            return BoltResponse(status=500, body="")


def _is_well_formed(raw: bytes, content_type: str) -> bool:
    """Whether a body is what Slack sends: a JSON object, or a form (with one in `payload`)."""
    try:
        text = raw.decode("utf-8")
        if content_type == "application/json":
            return isinstance(json.loads(text), dict)
        form = parse_qs(text, strict_parsing=True)
        payload = form.get("payload")
        if not form:
            return False
        return payload is None or isinstance(json.loads(payload[0]), dict)
    except ValueError:
        return False
