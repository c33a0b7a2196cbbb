"""What speaks against a sentence, fact by fact."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A fact of the statement that the passages do not support: what is wrong, with which word."""

    what: str
    word: str


_REASONS = {
    "number nowhere": "the number {word} stands in no passage",
    "number not near": "the number {word} stands elsewhere, not with what the sentence says",
    "number of something else": "the number {word} belongs to something else",
    "date nowhere": "the date {word} stands in no passage",
    "date not near": "the date {word} stands elsewhere, not with what the sentence says",
    "date of something else": "the date {word} belongs to something else",
    "name nowhere": "the name {word} stands in no passage",
    "name not near": "the name {word} stands elsewhere, not with what the sentence says",
    "name of something else": "the name {word} belongs to something else",
    "code nowhere": "{word} stands in no passage",
    "unit": "no passage counts in “{word}” there",
    "denial added": "“{word}” denies what the passage says",
    "denial removed": "the passage says “{word}”, the sentence does not",
    "opposite": "“{word}” is the opposite of what the passage says",
}


def reasons(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Return in words what is doubtful; where no fact is, that the passages say too little."""
    found = [_REASONS[each.what].format(word=each.word) for each in findings]
    return tuple(dict.fromkeys(found)) or ("no passage says this",)
