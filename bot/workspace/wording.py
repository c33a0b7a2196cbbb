"""What people type, as Slack stores it: mentions and links in angle brackets, the rest escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from bot.workspace.records import Json

_ENTITY = re.compile(r"<(?:@[UW][A-Z0-9]+|#C[A-Z0-9]+(?:\|[^>]*)?|![a-z]+|https?://[^>\s]+)>")
_URL = re.compile(r"https?://[^\s<>|]+[^\s<>|.,;:!?)\]}'\"]")
_PART = re.compile(r"<([^>]+)>")


def as_stored(text: str, users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Return typed text as Slack stores it.

    Args:
        text: As typed; entities that are already in angle brackets stay.
        users: User ids by the name people type after an `@`.
        channels: Channel ids by the name people type after a `#`.
    """
    done: list[str] = []
    end = 0
    for entity in _ENTITY.finditer(text):
        done += [_stored_plain(text[end : entity.start()], users, channels), entity.group()]
        end = entity.end()
    done.append(_stored_plain(text[end:], users, channels))
    return "".join(done)


def rich_text(text: str) -> list[Json]:
    """Return the block Slack makes from a person's text."""
    elements = [_element(part) for part in _split(text)]
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}] if elements else []


def unescaped(text: str) -> str:
    """Return text without the three escapes Slack uses."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _stored_plain(text: str, users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _URL.sub(lambda url: f"<{url.group()}>", text)
    for name, user in _longest_first(users):
        text = re.sub(rf"(?<![\w@])@{re.escape(name)}\b", f"<@{user}>", text, flags=re.I)
    for name, channel in _longest_first(channels):
        text = re.sub(rf"(?<![\w#])#{re.escape(name)}\b", f"<#{channel}|{name}>", text)
    return text


def _longest_first(names: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return sorted(names.items(), key=lambda item: -len(item[0]))


def _split(text: str) -> Iterator[str]:
    end = 0
    for part in _PART.finditer(text):
        if part.start() > end:
            yield text[end : part.start()]
        yield part.group()
        end = part.end()
    if end < len(text):
        yield text[end:]


def _element(part: str) -> Json:
    if part.startswith("<@"):
        return {"type": "user", "user_id": part[2:-1]}
    if part.startswith("<#"):
        return {"type": "channel", "channel_id": part[2:-1].split("|", maxsplit=1)[0]}
    if part.startswith("<!"):
        return {"type": "broadcast", "range": part[2:-1]}
    if part.startswith("<http"):
        return {"type": "link", "url": part[1:-1].split("|", maxsplit=1)[0]}
    return {"type": "text", "text": unescaped(part)}
