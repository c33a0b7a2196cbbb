"""Whether a sentence rests on the passages, and which of them it should cite."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from storage.pair_groups import content_words
from training.prompt import cited_numbers, with_citation

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_LINK = re.compile(r"(?:https?://|www\.|mailto:)[^\s<>|]+", re.IGNORECASE)
_WORD = re.compile(r"\w{3,}")
_CITED = re.compile(r"\s*\[(\d+)\]")
_DOES_NOT_KNOW = re.compile(
    r"\b(?:do not|don['’]t|does not|cannot) (?:know|hold the answer|find)\b"
    r"|\bvet (?:vi |jeg )?ikke\b",
    re.IGNORECASE,
)

#: Words of answers that tell nothing by themselves.
_EMPTY_WORDS = frozenset(
    {"answer", "question", "following", "according", "source", "sources", "hei"}
)

#: How many words of an answer must come from the passages and not from the question.
NEW_WORDS = 2

#: A sentence ends at its mark when a new one begins behind it; the citation belongs to it.
_SENTENCE_END = re.compile(r"(?<!\b[A-ZÆØÅ]\.)(?<=[.!?])((?:\s*\[\d+\])*)\s+(?=[^\s\[])")

_ABBREVIATIONS = frozenset({"e.g.", "i.e.", "kl.", "ca.", "approx.", "no.", "nr.", "mr.", "ms."})


class SentenceStream:
    """Cuts text that arrives in pieces into whole sentences."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._buffer = ""

    def feed(self, piece: str) -> Iterator[str]:
        """Take the next piece; yield every sentence that is complete with it."""
        self._buffer += piece
        start = 0
        for match in _SENTENCE_END.finditer(self._buffer):
            sentence = self._buffer[start : match.end()]
            if sentence.split()[-1].lower() in _ABBREVIATIONS:
                continue
            yield sentence
            start = match.end()
        self._buffer = self._buffer[start:]

    def flush(self) -> Iterator[str]:
        """Yield what is left when the text has ended."""
        if self._buffer.strip():
            yield self._buffer
        self._buffer = ""


def without_headings(sentence: str, headings: Sequence[str]) -> str:
    """Return `sentence` without lines that only repeat the heading of a passage.

    Small models like to begin by copying the line that stands above a passage in the prompt.
    """
    known = {_bare(heading) for heading in headings}
    lines = sentence.splitlines(keepends=True)
    return "".join(line for line in lines if _bare(line) not in known)


def says_it_does_not_know(text: str) -> bool:
    """Whether the answer itself admits that it has none."""
    return _DOES_NOT_KNOW.search(text) is not None


def has_supported_numbers(sentence: str, passages: Sequence[str], question: str) -> bool:
    """Whether every number in the sentence stands in a passage or in the question.

    A number that stands nowhere is the plainest sign of an invented fact.
    """
    known = {n for text in (*passages, question) for n in _numbers(text)}
    return all(number in known for number in _numbers(_CITED.sub("", sentence)))


def has_known_links(sentence: str, passages: Sequence[str]) -> bool:
    """Whether every link in the sentence stands in a passage: an invented one leads anywhere."""
    known = " ".join(passages)
    return all(link.rstrip(".,;:!?)>]}'\"*_") in known for link in _LINK.findall(sentence))


def says_something(text: str, passages: Sequence[str], question: str) -> bool:
    """Whether the answer tells anything from the passages that the question did not say itself.

    Small models like to answer with the question turned round, or with "The answer is [1]".
    """
    told = content_words(_CITED.sub("", text)) - content_words(question) - _EMPTY_WORDS
    return len(told & frozenset().union(*(_words(passage) for passage in passages))) >= NEW_WORDS


def settle_citations(text: str, passages: Sequence[str]) -> str:
    """Return `text` with citations that point at real passages, at least one if any fits.

    Numbers that point nowhere are dropped. A text that cites nothing gets the number of the
    passage it shares most words with; with no word in common it stays without.
    """
    text = _CITED.sub(
        lambda cited: cited.group() if 1 <= int(cited.group(1)) <= len(passages) else "", text
    ).strip()
    if cited_numbers(text) or not passages:
        return text
    words = _words(text)
    shared = [len(words & _words(passage)) for passage in passages]
    if max(shared) == 0:
        return text
    best = shared.index(max(shared))
    return with_citation(text, best + 1, passages[best])


def quotation(question: str, passage: str, longest: int = 320) -> str:
    """Return the sentence or two of `passage` that share most with the question, word for word.

    Args:
        question: What was asked.
        passage: The text to quote from.
        longest: The most characters to quote.
    """
    stream = SentenceStream()
    sentences = [s.strip() for s in (*stream.feed(" ".join(passage.split())), *stream.flush())]
    if not sentences:
        return ""
    words = _words(question)
    best = max(range(len(sentences)), key=lambda i: (len(words & _words(sentences[i])), -i))
    quoted = sentences[best]
    if best + 1 < len(sentences) and len(quoted) + len(sentences[best + 1]) < longest:
        quoted = f"{quoted} {sentences[best + 1]}"
    return quoted if len(quoted) <= longest else quoted[: longest - 1].rstrip() + "…"


def _numbers(text: str) -> frozenset[str]:
    """The numbers in `text`; thousands separators and trailing zeros make no difference."""
    found = set()
    for number in _NUMBER.findall(re.sub(r"(?<=\d)[\s\u00a0](?=\d{3}\b)", "", text)):
        plain = re.sub(r"[.,](?=\d{3}\b)", "", number)
        found.add(plain.lstrip("0") or "0")
    return frozenset(found)


def _bare(line: str) -> str:
    return " ".join(re.sub(r"\[\d+\]", "", line).split()).strip(" :.").casefold()


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))
