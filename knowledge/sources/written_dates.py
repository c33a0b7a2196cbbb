"""Dates as wikis write them."""

from __future__ import annotations

from datetime import UTC, datetime

_MOMENTS = (
    "%B %d, %Y %I:%M %p", "%B %d, %Y %H:%M", "%B %d, %Y", "%b %d, %Y", "%d %B %Y %H:%M",
    "%d %B %Y", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M", "%Y/%m/%d",
)  # fmt: skip


def moment_in(text: str) -> str | None:
    """Return the moment that a date stands for, as ISO 8601, or None."""
    plain = text.strip().removeprefix("@").partition(" (")[0].partition(" → ")[0]
    for form in _MOMENTS:
        try:
            return datetime.strptime(plain, form).replace(tzinfo=UTC).isoformat()
        except ValueError:
            continue
    return None
