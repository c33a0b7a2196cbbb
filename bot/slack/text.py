"""Text that is safe to show in Slack, whoever wrote it."""

from __future__ import annotations

import re

#: The most a markdown block may hold, in characters.
MARKDOWN_LIMIT = 12_000

#: Bounded, so that a text of nothing but brackets costs no more than any other.
_MARKDOWN_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\(([^)\n]{0,2000})\)")
_BROADCAST = re.compile(r"@(?=(?:here|channel|everyone)\b)", re.IGNORECASE)


def escape(text: str) -> str:
    """Escape what Slack reads as mentions, channels and links (mrkdwn and notifications).

    `&` first, or the other two would be escaped twice.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def safe_markdown(text: str) -> str:
    """Return text of a model or a document for a markdown block.

    Links become their label: what the bot links to are its sources, and those it links itself.
    Broadcast mentions get an invisible break, so that they call nobody.
    """
    plain = _MARKDOWN_LINK.sub(
        lambda link: link.group(1) or link.group(2), shortened(text, MARKDOWN_LIMIT)
    )
    return shortened(_BROADCAST.sub("@\u2060", escape(plain)), MARKDOWN_LIMIT)


def safe_mrkdwn(text: str) -> str:
    """Return text of a person, a model or a document for a mrkdwn element."""
    return _BROADCAST.sub("@\u2060", escape(text))


def shortened(text: str, limit: int) -> str:
    """Return `text` cut to `limit` characters, with an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
