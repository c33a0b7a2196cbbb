"""The Bolt app: the inbox first, then the listeners, then a polite answer to anything else."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from slack_bolt import Ack, App, BoltResponse
from slack_sdk import WebClient

from bot.permissions import NotAllowed
from bot.slack.guard import Guard
from bot.slack.inbox import Inbox

log = logging.getLogger(__name__)

#: Listeners only read and write SQL and open forms, so a few threads are plenty.
LISTENER_THREADS = 8

_ANYTHING = re.compile(".*")


class Surface(Protocol):
    """Something that listens: the buttons, the command, App Home."""

    def register(self, app: App) -> None:
        """Tell Bolt which deliveries are its own."""


def build_bolt_app(
    client: WebClient,
    inbox: Inbox,
    guard: Guard,
    surfaces: Iterable[Surface],
    **of_the_app: Any,
) -> App:
    """Return the Bolt app.

    Args:
        client: Slack, with our own rules for retries.
        inbox: The global middleware that commits events.
        guard: What every listener goes through.
        surfaces: The listeners.
        of_the_app: What Bolt needs beside them: a signing secret, OAuth.
    """
    app = App(
        client=client,
        **of_the_app,
        listener_executor=ThreadPoolExecutor(LISTENER_THREADS, thread_name_prefix="listener"),
        raise_error_for_unhandled_request=False,
    )
    app.use(inbox)
    for surface in surfaces:
        surface.register(app)
    # Bolt would leave what nobody listens to unanswered, and Slack would send it again.
    for catch in (app.action, app.shortcut, app.command, app.options, app.view):
        catch(_ANYTHING)(guard.lets("ask", _ignore))
    app.error(_explain)
    return app


def _ignore(ack: Ack, body: dict[str, Any], payload: dict[str, Any]) -> None:  # noqa: ARG001
    ack()


def _explain(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """Answer a delivery whose listener failed.

    A refusal is final and said so. Anything else is not acknowledged: for a form that keeps it
    open with what was typed, for an event it means that Slack sends it again.
    """
    if isinstance(error, NotAllowed):
        return BoltResponse(status=200, body={"text": str(error)})
    log.error("listener failed kind=%s", body.get("type"), exc_info=error)
    return BoltResponse(status=500, body="")
