"""Trigger ids and response URLs: short-lived rights to open a view and to answer later."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from bot.workspace.errors import SlackError
from bot.workspace.timing import Timing

#: How often one response URL can be used.
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    """The right to open one view for somebody, within seconds."""

    user: str
    made_at: float
    in_view: str | None
    is_used: bool = False


@dataclass
class ResponseUrl:
    """The right to answer an interaction or a command."""

    user: str
    channel: str
    made_at: float
    thread_ts: str | None = None
    #: The message the interaction came from, which `replace_original` replaces.
    message_ts: str | None = None
    uses: int = 0


class Tickets:
    """Gives out and takes in trigger ids and response URLs. Used under the workspace's lock."""

    def __init__(self, timing: Timing) -> None:
        """Take the durations."""
        self._timing = timing
        self._triggers: dict[str, Trigger] = {}
        self._responses: dict[str, ResponseUrl] = {}

    def new_trigger(self, user: str, in_view: str | None = None) -> str:
        """Return a trigger id for an interaction of `user`, perhaps inside a view."""
        trigger_id = (
            f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**9)}.{secrets.token_hex(16)}"
        )
        self._triggers[trigger_id] = Trigger(user, self._timing.clock(), in_view)
        return trigger_id

    def exchange(self, trigger_id: str) -> Trigger:
        """Use a trigger id up.

        Raises:
            SlackError: `invalid_trigger_id`, `exchanged_trigger_id` or `expired_trigger_id`.
        """
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.is_used:
            raise SlackError("exchanged_trigger_id")
        if self._timing.clock() - trigger.made_at > self._timing.trigger:
            raise SlackError("expired_trigger_id")
        trigger.is_used = True
        return trigger

    def new_response(
        self,
        user: str,
        channel: str,
        *,
        thread_ts: str | None = None,
        message_ts: str | None = None,
    ) -> str:
        """Return the secret part of a new response URL."""
        key = secrets.token_urlsafe(18)
        made_at = self._timing.clock()
        self._responses[key] = ResponseUrl(user, channel, made_at, thread_ts, message_ts)
        return key

    def respond(self, key: str) -> ResponseUrl:
        """Use a response URL once.

        Raises:
            SlackError: `invalid_url`, `expired_url` or `used_url`, with 404.
        """
        response = self._responses.get(key)
        if response is None:
            raise SlackError("invalid_url", status=404)
        if self._timing.clock() - response.made_at > self._timing.response_url:
            raise SlackError("expired_url", status=404)
        if response.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url", status=404)
        response.uses += 1
        return response
