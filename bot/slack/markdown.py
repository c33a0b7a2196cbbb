"""Markdown of a model or a document, made to fit into one of Slack's messages.

A markdown block takes 12,000 characters and the whole message a little more; Slack then makes
several blocks of it, one or more for each heading and table, of which a message takes 50.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.slack.text import MARKDOWN_LIMIT, escape, without_broadcasts

#: Characters of a whole message, in all its blocks; Slack fails somewhat above.
MESSAGE_LIMIT = 13_000

#: Blocks that a markdown block may become, so that there is room for ours.
EXPANDED_BLOCKS = 36

_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_TABLE_ROW = re.compile(r"^\s*\|.*\|\s*$")
_TABLE_RULE = re.compile(r"^[\s|:-]+$")

#: Bounded, so that a text of nothing but brackets costs no more than any other.
_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\(([^)\n]{0,2000})\)")
_CUT_OFF = "\n\n…"


def fitting_markdown(text: str, *, links: Collection[str] | None = (), others: int = 0) -> str:
    """Return text of a model, a document or an expert for a markdown block.

    Nobody is mentioned by it. Of its links only those in `links` stay; the others become their
    label. What is too long ends with an ellipsis, between two lines if that is possible and never
    with an open code block.

    Args:
        text: The markdown.
        links: The addresses that may be linked to; None allows every https address.
        others: How many characters the other blocks of the message hold.
    """
    room = min(MARKDOWN_LIMIT, MESSAGE_LIMIT - others)
    lines = _flattened(without_broadcasts(escape(text)).split("\n"))
    kept = _LINK.sub(lambda link: _linked(link, links), "\n".join(lines))
    return _cut(kept, room)


def _linked(link: re.Match[str], allowed: Collection[str] | None) -> str:
    label, address = link.group(1), link.group(2)
    plain = address.replace("&amp;", "&")
    is_picture = link.group(0).startswith("!")
    is_allowed = plain.startswith("https://") if allowed is None else plain in allowed
    if is_allowed and not is_picture and " " not in address:
        return f"[{label}]({address})"
    return label or address


def _flattened(lines: list[str]) -> list[str]:
    """Turn headings into bold lines and tables into plain rows where Slack would make too many."""
    if expanded_blocks(lines) <= EXPANDED_BLOCKS:
        return lines
    flat, is_code = [], False
    for line in lines:
        if _FENCE.match(line):
            is_code = not is_code
        heading = None if is_code else _HEADING.match(line)
        if heading is not None:
            flat.append(f"**{heading.group(1)}**")
        elif not is_code and _TABLE_ROW.match(line):
            if not _TABLE_RULE.match(line):
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                flat.append("- " + " · ".join(cells))
        else:
            flat.append(line)
    return flat


def expanded_blocks(lines: list[str]) -> int:
    """Return about how many blocks Slack makes of markdown: text between headings and tables."""
    count, is_code, was_table, was_text = 0, False, False, False
    for line in lines:
        if _FENCE.match(line):
            is_code = not is_code
        is_table = not is_code and bool(_TABLE_ROW.match(line))
        is_heading = not is_code and bool(_HEADING.match(line))
        if is_heading or (is_table and not was_table):
            count, was_text = count + 1, False
        elif line.strip() and not is_table and not was_text:
            count, was_text = count + 1, True
        was_table = is_table
    return count


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    end = room - len(_CUT_OFF) - len("\n```")
    newline = text.rfind("\n", end // 2, end)
    kept = text[: newline if newline > 0 else end].rstrip()
    # An entity or a link is not cut in two.
    kept = re.sub(r"&[a-z]{0,5}$|\[[^\]\n]*$|\[[^\]\n]*\]\([^)\n]*$", "", kept)
    fences = sum(1 for line in kept.split("\n") if _FENCE.match(line))
    return kept + ("\n```" if fences % 2 else "") + _CUT_OFF
