"""What is chosen of channels without Slack: in which the bot answers only when it is mentioned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from bot.teams import id_in, team_in
from storage import choices, workspaces
from storage.database import Database


class ChannelUnknown(Exception):
    """It cannot be said which channel is meant; the message says how to name one."""


def channel_scope(team_id: str, channel: str) -> str:
    """Return under which name the choices of a channel are kept."""
    return f"channel {team_id}/{channel}"


class ChannelChoices:
    """The twin of App Home's channel settings. Plain values in and out."""

    def __init__(self, database: Database, actor: str) -> None:
        """Take the database and who chooses."""
        self._database = database
        self._actor = actor

    @property
    def operations(self) -> dict[str, Callable[..., Any]]:
        """The operations by name."""
        return {"channels.list": self.listed, "channels.strict": self.choose}

    def listed(self) -> list[dict[str, str]]:
        """List the strict channels, with the workspace each is in."""
        with self._database.read() as session:
            found = choices.scopes(session, "strict", "on")
        places = (scope.removeprefix("channel ").partition("/") for scope in found)
        return [{"workspace": team, "channel": channel} for team, _, channel in places]

    def choose(self, channel: str, is_strict: bool) -> dict[str, Any]:
        """Make a channel strict, or not any more.

        Args:
            channel: Its id; with a workspace's id before it (`T2/C9`) if it is not in the first.
            is_strict: Whether the bot answers there only when it is mentioned.

        Raises:
            ChannelUnknown: this is no channel's id, or no workspace was met yet.
        """
        if not id_in(channel).startswith(("C", "G")) or not id_in(channel).isalnum():
            raise ChannelUnknown(
                f"{channel!r} is not a channel's id. Slack shows it at the end of the channel's "
                "details; it begins with C."
            )
        with self._database.write() as session:
            scope = channel_scope(team_in(channel) or _first_workspace(session), id_in(channel))
            value = "on" if is_strict else "off"
            if (choices.chosen(session, scope, "strict") or "off") != value:
                choices.choose(session, scope, "strict", value, self._actor)
        return {"channel": channel, "strict": is_strict}


def _first_workspace(session: Session) -> str:
    met = workspaces.all_of_them(session)
    if not met:
        raise ChannelUnknown(
            "The bot has not been in a workspace yet. Start `skredder serve` once, or name the "
            "workspace: T0123456/C0123456."
        )
    return met[0].team_id
