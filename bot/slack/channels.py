"""What kind of place a channel is: who can read there decides what may be said there."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from bot.slack.calls import SlackCalls, SlackRefused

#: How long it is remembered what a channel is, in seconds.
REMEMBERED = 300.0

_UNSEEN = frozenset({"channel_not_found", "not_in_channel", "missing_scope"})


@dataclass(frozen=True)
class ChannelFacts:
    """Who can read in a channel: its members only, and people of other companies or not.

    `is_seen` is whether Slack told us; of a channel that the bot is not in nothing is known, and
    the answers are the careful ones.
    """

    is_private: bool
    is_shared: bool
    is_seen: bool = True


class Channels:
    """Asks Slack what a channel is, and remembers it for a while."""

    def __init__(self, calls: SlackCalls) -> None:
        """Take Slack."""
        self._calls = calls
        self._known: dict[tuple[str, str], tuple[float, ChannelFacts]] = {}
        self._lock = threading.Lock()

    def facts(self, channel: str) -> ChannelFacts:
        """Return what a channel is.

        Raises:
            SlackBusy, SlackRefused, SlackUncertain: it cannot be found out now.
        """
        if channel.startswith("D"):
            return ChannelFacts(is_private=True, is_shared=False)
        with self._lock:
            known = self._known.get((self._calls.team_id, channel))
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        try:
            told = self._calls.call("conversations_info", channel=channel)["channel"]
            found = ChannelFacts(
                is_private=bool(told.get("is_private")) or bool(told.get("is_mpim")),
                is_shared=bool(told.get("is_ext_shared")),
            )
        except SlackRefused as refused:
            if refused.code not in _UNSEEN:
                raise
            found = ChannelFacts(is_private=False, is_shared=True, is_seen=False)
        with self._lock:
            self._known[self._calls.team_id, channel] = (time.monotonic() + REMEMBERED, found)
        return found
