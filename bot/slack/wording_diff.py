"""What was changed between two texts, word by word, for a reviewer's eye."""

from __future__ import annotations

import difflib
import re

from bot.slack.text import safe_mrkdwn, shortened

_WORDS = re.compile(r"\s+")


def marked_changes(before: str, after: str, limit: int = 2_000) -> str:
    """Return `after` as mrkdwn with what is new in bold and what went struck through."""
    old, new = _WORDS.split(before.strip()), _WORDS.split(after.strip())
    parts = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, begin, end, new_begin, new_end in matcher.get_opcodes():
        gone, come = " ".join(old[begin:end]), " ".join(new[new_begin:new_end])
        if kind == "equal":
            parts.append(_plain(come))
            continue
        if gone:
            parts.append(f"~{_plain(gone)}~")
        if come:
            parts.append(f"*{_plain(come)}*")
    return shortened(" ".join(parts), limit)


def _plain(text: str) -> str:
    """Return text without marks of its own, so that ours are the only ones."""
    return safe_mrkdwn(re.sub(r"[*~_`]", "", text)) or "…"
