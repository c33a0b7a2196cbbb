"""Text that is safe to show in Slack, whoever wrote it."""

from __future__ import annotations

import re

#: The most a markdown block may hold, in characters.
MARKDOWN_LIMIT = 12_000

_BROADCAST = re.compile(r"@(?=(?:here|channel|everyone)\b)", re.IGNORECASE)


def escape(text: str) -> str:
    """Escape what Slack reads as mentions, channels and links (mrkdwn and notifications).

    `&` first, or the other two would be escaped twice.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def without_broadcasts(text: str) -> str:
    """Return text whose broadcast mentions have an invisible break, so that they call nobody."""
    return _BROADCAST.sub("@\u2060", text)


def safe_mrkdwn(text: str) -> str:
    """Return text of a person, a model or a document for a mrkdwn element."""
    return without_broadcasts(escape(text))


def shortened(text: str, limit: int) -> str:
    """Return `text` cut to `limit` characters, with an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
