"""The Web API over HTTP: reading a call, the ledger, and Slack's way of answering."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from typing import Any

from aiohttp import web

from bot.workspace.arguments import check_blocks, understood
from bot.workspace.errors import SlackError
from bot.workspace.faults import CallFault
from bot.workspace.limits import check_message_blocks, check_text
from bot.workspace.methods import METHODS
from bot.workspace.objects import message_json
from bot.workspace.posting import announce_change, delete, from_app, post, with_ids
from bot.workspace.records import Json
from bot.workspace.site import Site
from bot.workspace.tickets import ResponseUrl

log = logging.getLogger(__name__)


class WebApi:
    """Serves `/api/METHOD`, `/socket/TICKET`, `/respond/KEY`, `/upload/FILE` for the app."""

    def __init__(self, site: Site, *, bot_token: str, app_token: str) -> None:
        """Take the site and the two tokens the app shows."""
        self._site = site
        self._bot_token = bot_token
        self._app_token = app_token
        self._socket_tickets: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return where the app calls."""
        return [
            web.route("*", "/api/{method}", self.call),
            web.get("/socket/{ticket}", self._socket),
            web.post("/respond/{key}", self._respond),
            web.post("/upload/{file}", self._upload),
        ]

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Answer one call of a method."""
        method = request.match_info["method"]
        try:
            raw = await _arguments(request)
        except SlackError as error:
            return self._refusal(method, {}, error)
        token = _token(request, raw)
        shown = {name: value for name, value in raw.items() if name != "token"}
        fault: CallFault | None = None
        for one in self._site.faults.take(method):
            if one.kind == "delay":
                await asyncio.sleep(one.seconds)
            else:
                fault = one
        if fault is not None and fault.kind == "answer":
            return self._refusal(method, shown, _fault(fault))
        if fault is not None and fault.kind == "drop_before":
            return self._drop(request, method, shown, {}, has_taken_effect=False)
        try:
            self._authorize(method, token)
            arguments = understood(method, raw)
            shown = arguments
            result = self._serve(method, arguments)
        except SlackError as error:
            return self._refusal(method, shown, error)
        if fault is not None and fault.kind == "drop_after":
            return self._drop(request, method, shown, result, has_taken_effect=True)
        self._note(method, shown, result, status=200, has_taken_effect=True)
        return web.json_response(
            result, headers={"x-oauth-scopes": self._site.installation.provided}
        )

    def _authorize(self, method: str, token: str | None) -> None:
        if not token:
            raise SlackError("not_authed")
        if token not in (self._bot_token, self._app_token):
            raise SlackError("invalid_auth")
        if (token == self._app_token) != (method == "apps.connections.open"):
            raise SlackError("not_allowed_token_type")
        self._site.installation.check_scope(method)

    def _serve(self, method: str, arguments: Json) -> Json:
        """Do what a call asks. Raises SlackError."""
        site = self._site
        if site.faults.is_missing(method):
            raise SlackError("unknown_method")
        if method == "apps.connections.open":
            ticket = secrets.token_urlsafe(24)
            self._socket_tickets.add(ticket)
            origin = site.state.origin.replace("http://", "ws://", 1)
            return {"ok": True, "url": f"{origin}/socket/{ticket}"}
        with site.lock:
            site.rates.count(method, arguments, site.timing.clock())
            return {"ok": True, **METHODS[method](site, arguments)}

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        ticket = request.match_info["ticket"]
        if ticket not in self._socket_tickets:
            raise web.HTTPForbidden(text="this address was used or never given")
        self._socket_tickets.discard(ticket)
        return await self._site.sockets.serve(request, self._site.state.app_id)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        """Take an answer by response URL: a new message, or a change of the original."""
        shown: Json = {}
        try:
            shown = await _arguments(request)
            for fault in self._site.faults.take("response_url"):
                if fault.kind == "answer":
                    raise _fault(fault)
            with self._site.lock:
                ticket = self._site.tickets.respond(request.match_info["key"])
                self._answer(ticket, shown)
        except SlackError as error:
            self._note("response_url", shown, _error_body(error), status=error.status)
            status = error.status if error.status != 200 else 400
            return web.json_response(_error_body(error), status=status, headers=error.headers)
        self._note("response_url", shown, {"ok": True}, status=200, has_taken_effect=True)
        return web.Response(text="ok")

    def _answer(self, ticket: ResponseUrl, body: Json) -> None:
        site = self._site
        text, blocks = str(body.get("text") or ""), body.get("blocks") or []
        check_text(text)
        check_blocks(blocks)
        check_message_blocks(blocks)
        original = site.state.messages.get(ticket.message_ts or "")
        if body.get("delete_original"):
            if original is not None and original.is_from_app:
                delete(site, original)
            return
        if not text and not blocks:
            raise SlackError("no_text")
        if body.get("replace_original") and original is not None and original.is_from_app:
            before = message_json(site.state, original)
            original.text, original.blocks = text, with_ids(blocks)
            announce_change(site, before, original)
            return
        is_public = body.get("response_type") == "in_channel"
        message = from_app(
            site,
            site.state.channels[ticket.channel],
            text,
            blocks,
            thread_ts=body.get("thread_ts") or ticket.thread_ts,
            ephemeral_for=None if is_public else ticket.user,
        )
        post(site, message)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        """Take a file's content. The address itself is the permission, as in Slack."""
        file = self._site.state.files.get(request.match_info["file"])
        if file is None or file.is_complete:
            raise web.HTTPNotFound(text="no upload is expected here")
        content = await request.read()
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            part = next(iter(form.values()), b"")
            content = part.file.read() if isinstance(part, web.FileField) else content
        if len(content) != file.size:
            raise web.HTTPBadRequest(text=f"{len(content)} bytes came, {file.size} were announced")
        with self._site.lock:
            file.content = content
        return web.Response(text=f"OK - {len(content)}")

    def _refusal(self, method: str, arguments: Json, error: SlackError) -> web.Response:
        body = _error_body(error)
        self._note(method, arguments, body, status=error.status)
        log.info("refused method=%s error=%s", method, error.code)
        return web.json_response(body, status=error.status, headers=error.headers)

    def _drop(
        self,
        request: web.Request,
        method: str,
        arguments: Json,
        result: Json,
        *,
        has_taken_effect: bool,
    ) -> web.Response:
        self._note(method, arguments, result, status=0, has_taken_effect=has_taken_effect)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _note(
        self,
        method: str,
        arguments: Json,
        result: Json,
        *,
        status: int,
        has_taken_effect: bool = False,
    ) -> None:
        site = self._site
        with site.lock:
            site.ledger.note(
                site.timing.clock(),
                method,
                arguments,
                result,
                status=status,
                has_taken_effect=has_taken_effect,
            )
            site.revision += 1
            site.changed.notify_all()


async def _arguments(request: web.Request) -> Json:
    """Return a call's arguments from the address and the body."""
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        body = await request.text()
        try:
            data = json.loads(body) if body else {}
        except ValueError as error:
            raise SlackError("invalid_json") from error
        if not isinstance(data, dict):
            raise SlackError("json_not_object")
        arguments |= data
    else:
        form = await request.post()
        arguments |= {name: value for name, value in form.items() if isinstance(value, str)}
    return arguments


def _token(request: web.Request, arguments: Json) -> str | None:
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ").strip()
    token = arguments.get("token")
    return token if isinstance(token, str) else None


def _fault(fault: CallFault) -> SlackError:
    """Return what a test asked a call to be answered with."""
    wait = {"Retry-After": str(int(fault.seconds))} if fault.status == 429 else {}
    return SlackError(fault.error, status=fault.status, headers=wait)


def _error_body(error: SlackError) -> Json:
    body: Json = {"ok": False, "error": error.code}
    if error.explanations:
        body["response_metadata"] = {"messages": list(error.explanations)}
    return body
