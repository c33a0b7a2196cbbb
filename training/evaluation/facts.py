"""Whether an answer holds the facts that a right one must hold, however they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from training.prompt import without_citations

#: A fact: the wordings of which a right answer holds one.
Fact = tuple[str, ...]

_THOUSANDS = re.compile(r"(?<=\d)[,\u00a0\u202f ](?=\d{3}(?!\d))")
_MARKUP = re.compile(r"[*`_\\]")


def holds_facts(answer: str, facts: Sequence[Fact]) -> bool:
    """Whether every fact is in `answer` in one of its wordings."""
    said = _plain(answer)
    return all(any(_says(said, wording) for wording in fact) for fact in facts)


def _says(said: str, wording: str) -> bool:
    """Whole words only, and a longer number is another number: "10" is not in "110" or "10.5"."""
    wanted = _plain(wording)
    behind = r"(?!\w)(?![.,]\d)" if wanted[-1:].isalnum() else ""
    return re.search(rf"(?<![\w.,]){re.escape(wanted)}{behind}", said) is not None


def _plain(text: str) -> str:
    """Lower case, one space, no markup, no citations, numbers without separators."""
    bare = _MARKUP.sub("", without_citations(text)).replace("’", "'")
    return " ".join(_THOUSANDS.sub("", bare).casefold().split())
