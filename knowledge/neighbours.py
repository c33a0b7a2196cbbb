"""A section that was cut in pieces, put together again as far as its pieces were found."""

from __future__ import annotations

from dataclasses import replace

from knowledge.retrieval import Passage

#: No more than this many characters are repeated where a section was cut.
_LONGEST_REPEAT = 600


def are_neighbours(one: Passage, other: Passage) -> bool:
    """Whether one passage follows the other in the same section of the same document."""
    return (
        (one.document_id, one.version, one.heading)
        == (other.document_id, other.version, other.heading)
        and (one.first > other.last or other.first > one.last)
        and (one.first == other.last + 1 or other.first == one.last + 1)
    )


def joined(passage: Passage, neighbour: Passage) -> Passage:
    """Return a passage with its neighbour's text added, in reading order.

    The sentence that was repeated where the section was cut stands once. Everything else, its id
    and rank among it, stays the passage's own.
    """
    before, after = sorted((passage, neighbour), key=lambda each: each.first)
    return replace(
        passage,
        text=f"{before.text}\n\n{_without_repeat(before.text, after.text)}".rstrip(),
        first=before.first,
        last=after.last,
    )


def _without_repeat(before: str, after: str) -> str:
    for length in range(min(len(before), len(after), _LONGEST_REPEAT), 0, -1):
        if before.endswith(after[:length]):
            return after[length:].lstrip() if length > 1 else after
    return after
