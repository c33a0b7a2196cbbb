"""The door: no listener is reached by somebody who may not do what it does.

Every listener is registered through `Guard.lets`; a test lists those of the app and fails if one
is not. Who somebody is comes from Slack's envelope, never from a button's value or a form.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from slack_bolt import Ack

from bot.permissions import NEEDS, Action, NotAllowed, Permissions
from bot.slack.calls import SlackBusy, SlackCalls, SlackRefused, SlackUncertain
from bot.slack.people import People
from bot.teams import ONE_WORKSPACE, Teams

log = logging.getLogger(__name__)

Body = dict[str, Any]

#: What every listener takes: how to acknowledge, the whole body, and the part it is about (the
#: action, the view, the command).
Listener = Callable[[Ack, Body, Body], None]


class Guarded(Protocol):
    """A listener behind the door. Bolt fills in its arguments by name."""

    guarded_by: Action

    def __call__(self, ack: Ack, body: Body, payload: Body) -> None:
        """Let those through who may."""


class Guard:
    """Wraps listeners."""

    def __init__(
        self,
        permissions: Permissions,
        people: People,
        calls: SlackCalls,
        teams: Teams = ONE_WORKSPACE,
    ) -> None:
        """Take who may do what, who is who, and how to tell somebody that they may not."""
        self._permissions = permissions
        self.teams = teams
        self._people = people
        self._calls = calls

    def lets(self, action: Action, listener: Listener) -> Guarded:
        """Return the listener, reached only by those who may do this."""

        def guarded(ack: Ack, body: Body, payload: Body) -> None:
            user_id = user_of(body)
            with self._calls.acting_for(team_of(body)):
                try:
                    self.require(user_id, action, team_of(body))
                except NotAllowed as refused:
                    log.info("not allowed user=%s action=%s", user_id, action)
                    self._refuse(ack, body, self._people.words(user_id).told(refused))
                    return
                listener(ack, body, payload)

        guarded.guarded_by = action  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    def require(self, user_id: str, action: Action, team_id: str) -> None:
        """Raise `NotAllowed` unless somebody may do this, as who Slack says they are.

        Raises:
            NotAllowed: they may not.
            SlackBusy, SlackRefused, SlackUncertain: it cannot be found out now who they are.
        """
        person = self.teams.name(team_id, user_id)
        is_outsider = (
            NEEDS[action] == "anyone"
            and not self._permissions.is_expert(person)
            and self._people.who(user_id, team_id).is_outsider
        )
        self._permissions.require(person, action, is_outsider=is_outsider)

    def person_of(self, body: Mapping[str, Any]) -> str:
        """Return who did something, as nobody else in any workspace is called (`bot.teams`)."""
        return self.teams.name(team_of(body), user_of(body))

    def is_here(self, body: Mapping[str, Any], team_id: str) -> bool:
        """Whether something is of the workspace in which somebody does something with it."""
        return self.teams.far(team_of(body)) == self.teams.far(team_id)

    def whisper(self, body: Mapping[str, Any], text: str) -> None:
        """Tell the one who did something a sentence that nobody else sees; not worth failing for.

        In the channel where they did it, else directly.
        """
        channel = (body.get("channel") or {}).get("id") or body.get("channel_id")
        user_id = user_of(body)
        message = body.get("message") or {}
        thread = message.get("thread_ts") or (body.get("container") or {}).get("thread_ts")
        try:
            if channel:
                where = {"thread_ts": thread} if thread else {}
                self._calls.call(
                    "chat_postEphemeral", channel=channel, user=user_id, text=text, **where
                )
            else:
                self._calls.call("chat_postMessage", channel=user_id, text=text)
        except (SlackBusy, SlackRefused, SlackUncertain) as error:
            log.warning("somebody could not be told user=%s: %s", user_id, error)

    def _refuse(self, ack: Ack, body: Body, sentence: str) -> None:
        if "command" in body:
            ack(text=sentence)
            return
        view = body.get("view") or {}
        inputs = [b["block_id"] for b in view.get("blocks", ()) if b.get("type") == "input"]
        if body.get("type") == "view_submission" and inputs:
            ack(response_action="errors", errors={inputs[0]: sentence})
            return
        ack()
        self.whisper(body, sentence)


def user_of(body: Mapping[str, Any]) -> str:
    """Return who did something, as Slack vouches for it."""
    user = body.get("user")
    if isinstance(user, Mapping):
        return str(user.get("id") or "")
    return str(body.get("user_id") or user or "")


def team_of(body: Mapping[str, Any]) -> str:
    """Return in which workspace something was done."""
    team = body.get("team")
    if isinstance(team, Mapping):
        return str(team.get("id") or "")
    return str(body.get("team_id") or "")
