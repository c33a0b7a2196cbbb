"""Calling Slack, with its failures sorted by what can be done about them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.webhook import WebhookClient

#: How long one request may take, in seconds. Slack answers in well under one.
REQUEST_TIMEOUT_SECONDS = 5

#: How long the start waits for a busy Slack at a time, in seconds.
LONGEST_WAIT_SECONDS = 30.0


class SlackBusy(Exception):
    """Slack asks to wait (429). `seconds` says how long."""

    def __init__(self, seconds: float) -> None:
        """Take how long to wait, in seconds."""
        super().__init__(f"Slack asks to wait {seconds:g} s.")
        self.seconds = seconds


class SlackRefused(Exception):
    """Slack will not do this, now or later. `code` is its error code."""

    def __init__(self, method: str, code: str) -> None:
        """Take the method and Slack's error code."""
        super().__init__(f"Slack refused {method}: {code}.")
        self.code = code


class SlackUncertain(Exception):
    """The request failed on the way: it may or may not have taken effect."""


def new_client(token: str, api_url: str) -> WebClient:
    """Return a client that never retries by itself.

    slack_sdk's default repeats a request whose connection was lost, also when Slack has already
    acted on it; a posted message would then stand twice.
    """
    return WebClient(
        token=token, base_url=api_url, timeout=REQUEST_TIMEOUT_SECONDS, retry_handlers=[]
    )


class SlackCalls:
    """Slack's Web API with errors that say what to do next.

    With several workspaces, a call speaks for the one that `acting_for` names in this thread.
    """

    def __init__(
        self, client: WebClient, token_of: Callable[[str], str | None] = lambda _team: None
    ) -> None:
        """Take the client (see `new_client`), and what gives the bot's token in a workspace."""
        self.client = client
        self._token_of = token_of
        self._acting = threading.local()

    @contextmanager
    def acting_for(self, team_id: str) -> Iterator[None]:
        """Speak for one workspace in this thread, as long as this is open."""
        before = getattr(self._acting, "team_id", "")
        self._acting.team_id = team_id
        try:
            yield
        finally:
            self._acting.team_id = before

    @property
    def team_id(self) -> str:
        """The workspace that is spoken for in this thread; empty where there is only one."""
        return str(getattr(self._acting, "team_id", ""))

    @property
    def token(self) -> str:
        """The bot's token in the workspace that is spoken for."""
        return self._token_of(self.team_id) or str(self.client.token or "")

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call a method by the name slack_sdk gives it, such as `chat_postMessage`.

        Raises:
            SlackBusy: rate limited.
            SlackRefused: Slack says no.
            SlackUncertain: the connection failed, or Slack had an error of its own.
        """
        arguments["token"] = token = self.token
        if not token:
            # The app was removed from this workspace: nobody there can be written to.
            raise SlackRefused(method, "account_inactive")
        try:
            response = getattr(self.client, method)(**arguments)
        except SlackApiError as error:
            status = error.response.status_code
            if status == 429:
                raise SlackBusy(float(error.response.headers.get("Retry-After", 1))) from error
            if status >= 500:
                raise SlackUncertain(f"{method}: Slack answered {status}.") from error
            raise SlackRefused(method, str(error.response.get("error", status))) from error
        except (OSError, HTTPException, SlackRequestError) as error:
            raise SlackUncertain(f"{method}: {type(error).__name__}: {error}") from error
        data = response.data
        return data if isinstance(data, dict) else {}

    def call_patiently(self, method: str, tries: int = 5, **arguments: Any) -> dict[str, Any]:
        """Call a method and wait here while Slack is busy: at the start, when no job waits for it.

        Raises:
            SlackBusy: it was still busy at the last try.
            SlackRefused, SlackUncertain: as for `call`.
        """
        for _ in range(tries - 1):
            try:
                return self.call(method, **arguments)
            except SlackBusy as busy:
                time.sleep(min(busy.seconds, LONGEST_WAIT_SECONDS))
        return self.call(method, **arguments)

    def respond(self, response_url: str, **body: Any) -> None:
        """Answer an interaction or a command by the address that came with it.

        Raises:
            SlackBusy, SlackRefused, SlackUncertain: as for `call`; refused once the address has
                been used five times, or is half an hour old.
        """
        webhook = WebhookClient(
            response_url, timeout=REQUEST_TIMEOUT_SECONDS, retry_handlers=[], ssl=self.client.ssl
        )
        try:
            response = webhook.send_dict(body)
        except (OSError, HTTPException, SlackRequestError) as error:
            raise SlackUncertain(f"response_url: {type(error).__name__}: {error}") from error
        if response.status_code == 429:
            raise SlackBusy(float(response.headers.get("Retry-After", 1)))
        if response.status_code >= 500:
            raise SlackUncertain(f"response_url: Slack answered {response.status_code}.")
        if response.status_code != 200:
            raise SlackRefused("response_url", response.body[:200])
