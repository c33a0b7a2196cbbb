"""Slack's way of writing messages to Markdown that people and models can read."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

_FENCE = re.compile(r"```(.*?)```", re.S)
_CODE = re.compile(r"`([^`\n]+)`")
_MARKED = re.compile(r"<([^<>\n]+)>")
_HEADING = re.compile(r"^\s*#{1,6}[ \t]+(?=\S)", re.M)  # Slack has none, people type them
_LONGEST_TITLE = 80


def to_markdown(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Return a message's text as Markdown.

    Mentions and links to channels become names. Slack's escapes of `<`, `>` and `&` are HTML's, and
    stay so outside of code.

    Args:
        text: As Slack keeps it.
        people: Names by user id.
        channels: Names by channel id.
    """
    pieces: list[str] = []
    end = 0
    for fence in _FENCE.finditer(text):
        pieces += [_plain(text[end : fence.start()], people, channels), _code_block(fence.group(1))]
        end = fence.end()
    pieces.append(_plain(text[end:], people, channels))
    return "\n".join(piece for piece in pieces if piece.strip()).strip()


def first_line(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Return the first line of a message as a title: plain, and short."""
    plain = html.unescape(_MARKED.sub(lambda found: _named(found, people, channels, ""), text))
    lines = (" ".join(line.replace("`", "").split()) for line in plain.splitlines())
    line = next((line.strip("*_~ ") for line in lines if line.strip("*_~ ")), "")
    if len(line) <= _LONGEST_TITLE:
        return line
    return line[:_LONGEST_TITLE].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def _plain(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    named = _MARKED.sub(lambda found: _named(found, people, channels), text.replace("```", ""))
    named = _CODE.sub(lambda found: f"`{html.unescape(found.group(1))}`", named)
    return _HEADING.sub("", named).strip("\n")


def _code_block(code: str) -> str:
    typed = _MARKED.sub(lambda found: found.group(1).rpartition("|")[2], code)  # not <url|label>
    plain = html.unescape(typed)
    return f"```\n{plain.strip(chr(10))}\n```"


def _named(
    found: re.Match[str], people: Mapping[str, str], channels: Mapping[str, str], link: str = "url"
) -> str:
    """Return what people see for `<@U1>`, `<#C1|name>`, `<!here>` or `<url|label>`."""
    target, _, label = found.group(1).partition("|")
    if target.startswith("@"):
        return f"@{people.get(target[1:]) or label.lstrip('@') or 'somebody'}"
    if target.startswith("#"):
        return f"#{channels.get(target[1:]) or label.lstrip('#') or 'a channel'}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    shown = target.removeprefix("mailto:")
    if not link:
        return label or shown
    return f"[{label}]({target})" if label and label != shown else shown
