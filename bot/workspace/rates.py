"""Slack's rate limits: how often a method may be called."""

from __future__ import annotations

from collections import deque
from math import ceil

from bot.workspace.errors import SlackError
from bot.workspace.records import Json

#: Calls a minute, from Slack's reference (tiers 2 to 4) for the methods that apps call most.
CALLS_A_MINUTE = {
    "chat.update": 50,
    "chat.startStream": 20,
    "chat.appendStream": 100,
    "chat.stopStream": 20,
    "views.publish": 100,
    "views.open": 100,
    "conversations.replies": 50,
    "conversations.history": 50,
}

#: Messages a second in one channel.
POSTS_A_SECOND = 1


class RateLimits:
    """Counts calls and refuses those that come too fast, when `is_enforced`.

    Off by default: Slack lets short bursts through, and a test that posts ten messages at once
    does not want to wait ten seconds.
    """

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self.is_enforced = False
        self._calls: dict[str, deque[float]] = {}

    def count(self, method: str, arguments: Json, now: float) -> None:
        """Count a call.

        Raises:
            SlackError: `ratelimited`, with 429 and the seconds to wait.
        """
        if not self.is_enforced:
            return
        if method in ("chat.postMessage", "chat.postEphemeral"):
            self._count(f"posts:{arguments.get('channel')}", POSTS_A_SECOND, 1.0, now)
        elif method in CALLS_A_MINUTE:
            self._count(method, CALLS_A_MINUTE[method], 60.0, now)

    def _count(self, key: str, most: int, seconds: float, now: float) -> None:
        times = self._calls.setdefault(key, deque())
        while times and times[0] <= now - seconds:
            times.popleft()
        if len(times) >= most:
            wait = max(1, ceil(times[0] + seconds - now))
            raise SlackError("ratelimited", status=429, headers={"Retry-After": str(wait)})
        times.append(now)
