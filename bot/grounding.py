"""Whether a sentence rests on the passages, what to show instead, and which passage to cite."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bot.clauses import supported_part
from bot.wording import is_near
from knowledge.answer_selection import OFF_THE_QUESTION, AnswerSentence
from knowledge.grounding.checker import Checks, Support
from knowledge.grounding.facts import read_tokens
from knowledge.grounding.reading import sentences_of
from knowledge.grounding.small_talk import claims_nothing
from storage.pair_groups import content_words
from training.prompt import cited_numbers, with_citation

_LINK = re.compile(r"(?:https?://|www\.|mailto:)[^\s<>|]+", re.IGNORECASE)
_WORD = re.compile(r"\w{3,}")
_CITED = re.compile(r"\s*\[(\d+)\]")
_DOES_NOT_KNOW = re.compile(
    r"\b(?:do not|don['’]t|does not|cannot) hold the answer\b"
    r"|(?:^|[.!?,;:]\s*|\b(?:I|we)\s+)(?:do not|don['’]t|cannot|can['’]t) (?:know|find)\b"
    r"|\b(?:jeg|vi) vet ikke\b|\bvet (?:jeg|vi) ikke\b|^\W*vet ikke\b",
    re.IGNORECASE,
)
_IN_THE_PAGE_S_WORDS = re.compile(r"“[^”]*”")

#: Words of answers that tell nothing by themselves.
_EMPTY_WORDS = frozenset(
    {"answer", "question", "following", "according", "source", "sources", "hei"}
)

#: How many words of an answer must come from the passages and not from the question.
NEW_WORDS = 2

#: A sentence ends at its mark when a new one begins behind it; the citation belongs to it.
_SENTENCE_END = re.compile(r"(?<!\b[A-ZÆØÅ]\.)(?<=[.!?])((?:\s*\[\d+\])*)\s+(?=[^\s\[])")

_ABBREVIATIONS = frozenset({"e.g.", "i.e.", "kl.", "ca.", "approx.", "no.", "nr.", "mr.", "ms."})


#: A rejected sentence that shares this much with a passage was about it: the passage is quoted.
_ABOUT = 0.5

#: A second sentence is quoted with the best one if its score is at most this much lower.
SECOND_BEST = 1.0

#: A quotation in place of a sentence has at most this many characters.
_LONGEST_QUOTE = 320


@dataclass(frozen=True)
class Shown:
    """A sentence that may be shown as it is.

    Attributes:
        text: The sentence, headings that were copied into it taken out.
        support: What the check found; None if it claims nothing.
    """

    text: str
    support: Support | None = None


@dataclass(frozen=True)
class Replaced:
    """What is shown in a sentence's place: the passage's own words, with its citation.

    Attributes:
        text: The quotation.
        reasons: Why the sentence was not shown, in words.
    """

    text: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Dropped:
    """A sentence that is not shown, and why; no reason if nothing was lost by it."""

    reasons: tuple[str, ...] = ()


class GroundedWriter:
    """Decides sentence by sentence, while the model writes, what of an answer is shown.

    A sentence that claims nothing passes. One that the passages support passes, if it rests on
    what answers the question. One that they do not support, or that tells something else, is
    replaced by their own words; anything that is left is dropped.
    """

    def __init__(
        self,
        check: Checks,
        passages: Sequence[str],
        question: str,
        *,
        sayings: Collection[str] = (),
        headings: Sequence[str] = (),
        ranked: Sequence[AnswerSentence] = (),
        keeps_near: bool = False,
    ) -> None:
        """Begin an answer.

        Args:
            check: Has read the passages.
            passages: Their headings and texts, in the order they are cited by.
            question: What was asked.
            sayings: The company's own phrases; they need no support.
            headings: Lines that are taken out where the model copies them.
            ranked: The sentences of the passages, the one that answers the question best first;
                none where it is not known.
            keeps_near: Whether the model's sentences are shown only if they tell, nearly in the
                page's words, what answers the question best.
        """
        self._keeps_near = keeps_near
        self._ranked = ranked
        self._whole = {(each.passage, _bare(part)): each for each in ranked for part in each.parts}
        self._check = check
        self._passages = passages
        self._question = question
        self._sayings = sayings
        self._headings = headings
        self._numbers = _known_numbers((*passages, question))
        self._said: set[str] = set()
        self._claims = 0
        self.rejected = 0

    def write(self, sentence: str) -> Shown | Replaced | Dropped:
        """Say what is shown for the next sentence of the model."""
        text = without_headings(sentence, self._headings)
        if not text.strip():
            return Dropped()
        if claims_nothing(text, self._question, self._sayings):
            return Shown(text)
        support = self._check.support(text)
        reasons = self._impossible(text) or self._misplaced(text, support) or support.reasons
        if _is_cut_off(text):
            reasons = (*reasons, "the sentence does not come to its end")
        is_beside = self._is_beside_the_question(support)
        may_be_told = not is_beside or not (self._keeps_near or self._best_is_open)
        if support.is_supported and not reasons and may_be_told:
            part = self._supported_part(text)
            if not self._keeps_near or self._is_near(part, support):
                self._claims += 1
                self._said.add(_bare(self._words_of(support)))
                return Shown(_citing(part, support.passage), support)
            reasons = ("it is not said nearly as the page says it",)
        self.rejected += 1
        reasons = reasons or ("it does not tell what was asked",)
        quoted = self._best_quotation() if is_beside else self._quotation(support)
        if quoted is None:
            return Dropped(reasons)
        self._claims += 1
        return Replaced(quoted + sentence[len(sentence.rstrip()) :], reasons)

    @property
    def has_enough(self) -> bool:
        """Whether anything was shown that the passages support; if not, the bot abstains."""
        return self._claims > 0

    def _impossible(self, text: str) -> tuple[str, ...]:
        """What no fitted model may let through, whatever it thinks of the rest."""
        found = []
        if not _has_only(text, self._numbers):
            found.append("a number stands in no passage")
        if not has_known_links(text, self._passages):
            found.append("a link stands in no passage")
        return tuple(found)

    def _misplaced(self, text: str, support: Support) -> tuple[str, ...]:
        """Find a number that stands in the passages, but not where the sentence has its words from.

        "Double rate at 17:00" is made of a page's two facts that have nothing to do with each
        other. The sentence before and the one after may belong to it, and so may the headings.
        """
        if support.passage is None or support.passage >= len(self._passages):
            return ()
        sentences = list(sentences_of(self._passages[support.passage]))
        place = next((n for n, it in enumerate(sentences) if support.sentence in it), None)
        if place is None:
            return ()
        near = sentences[max(place - 1, 0) : place + 2]
        if _has_only(text, _known_numbers((*near, *self._headings, self._question))):
            return ()
        return ("a number stands elsewhere in the passage",)

    def _supported_part(self, text: str) -> str:
        return supported_part(
            text,
            lambda clause: self._check.support(clause).probability,
            lambda clause: claims_nothing(clause, self._question, self._sayings),
        )

    def _is_beside_the_question(self, support: Support) -> bool:
        """Whether a sentence rests on what answers the question far worse than the best does."""
        if not self._ranked:
            return False
        whole = self._whole_of(support)
        allowed = 0.0 if self._keeps_near else OFF_THE_QUESTION
        return whole is None or whole.score < self._ranked[0].score - allowed

    def _is_near(self, text: str, support: Support) -> bool:
        return is_near(text, support.sentence, self._question, self._headings)

    def _words_of(self, support: Support) -> str:
        """Return the whole sentence that supports one, of which the check may have read a part."""
        whole = self._whole_of(support)
        return support.sentence.strip() if whole is None else whole.text

    def _whole_of(self, support: Support) -> AnswerSentence | None:
        return self._whole.get((support.passage or 0, _bare(support.sentence)))

    @property
    def _best_is_open(self) -> bool:
        """Whether the sentence that answers the question best was not told yet."""
        return bool(self._ranked) and _bare(self._ranked[0].text) not in self._said

    def _best_quotation(self) -> str | None:
        if not self._best_is_open:
            return None
        quoted = quotation(self._ranked, _LONGEST_QUOTE)
        self._said.add(_bare(self._ranked[0].text))
        return quoted

    def _quotation(self, support: Support) -> str | None:
        words = self._words_of(support)
        is_about = support.passage is not None and support.closeness >= _ABOUT
        if not is_about or len(words) > _LONGEST_QUOTE or _bare(words) in self._said:
            return None
        assert support.passage is not None
        self._said.add(_bare(words))
        return _quoted(words, support.passage)


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
    """Return `sentence` without lines that only repeat the heading of a passage, or begin so.

    Small models like to begin by copying the line that stands above a passage in the prompt.
    """
    parts = [heading.split(" > ") for heading in headings]
    paths = {" > ".join(each[:n]) for each in parts for n in range(1, len(each) + 1)}
    known = {_bare(path) for path in paths}
    lines = [line for line in sentence.splitlines(keepends=True) if _bare(line) not in known]
    for path in sorted(paths, key=len, reverse=True):  # the longest first: it holds the others
        begins = re.compile(rf"^\s*{re.escape(path)}\s*>\s*")
        lines = [begins.sub("", line) for line in lines]
    return "".join(lines)


def _is_cut_off(text: str) -> bool:
    """Whether a text of one line ends within a sentence, as it does when the tokens run out."""
    bare = _CITED.sub("", text).strip().rstrip("*_\"'”’)»")
    return bool(bare) and "\n" not in bare and bare[-1] not in ".!?:…"


def says_it_does_not_know(text: str) -> bool:
    """Whether the answer itself admits that it has none; what it quotes admits nothing."""
    return _DOES_NOT_KNOW.search(_IN_THE_PAGE_S_WORDS.sub("", text)) is not None


def has_supported_numbers(sentence: str, passages: Sequence[str], question: str) -> bool:
    """Whether every number in the sentence stands in a passage or in the question.

    A number that stands nowhere is the plainest sign of an invented fact. How it is written makes
    no difference: 5 = five = fem, 12 000 = 12,000 = 12k, 09:00 = 9am.
    """
    return _has_only(sentence, _known_numbers((*passages, question)))


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


def quotation(ranked: Sequence[AnswerSentence], longest: int = 320) -> str | None:
    """Return the sentence that answers the question best, and the next best one if it is close,
    each word for word with its citation; None if there is none.

    Args:
        ranked: The sentences of the passages, best first.
        longest: The most characters to quote.
    """
    if not ranked:
        return None
    best = ranked[0]
    if len(best.text) > longest:
        return _quoted(f"{best.text[: longest - 1].rstrip()}…", best.passage)
    near = [
        each
        for each in ranked[1:]
        if each.score > best.score - SECOND_BEST and len(best.text) + len(each.text) < longest
    ]
    if not near:
        return _quoted(best.text, best.passage)
    first, second = sorted((best, near[0]), key=lambda each: each.place)
    if first.passage == second.passage and second.place == first.place + 1:
        return _quoted(f"{first.text} {second.text}", first.passage)
    return " ".join(_quoted(each.text, each.passage) for each in (best, near[0]))


def _citing(sentence: str, passage: int | None) -> str:
    """Return `sentence` citing the passage that supports it, if it cites others instead."""
    cited = cited_numbers(sentence)
    if passage is None or not cited or passage + 1 in cited:
        return sentence
    first, *others = _CITED.finditer(sentence)
    for other in reversed(others):
        sentence = sentence[: other.start()] + sentence[other.end() :]
    place = sentence[first.start() : first.end()].replace(first.group(1), str(passage + 1))
    return sentence[: first.start()] + place + sentence[first.end() :]


def _quoted(words: str, passage: int) -> str:
    return f"“{words.strip()}” [{passage + 1}]"


def _known_numbers(texts: Sequence[str]) -> frozenset[str]:
    """Every number that stands in texts, read in both languages, in its canonical forms."""
    return frozenset(
        value
        for text in texts
        for language in ("en", "no")
        for token in read_tokens(text, language)
        for value in token.values
    )


def _has_only(sentence: str, known: frozenset[str]) -> bool:
    """Whether each number that is written in digits has one of its forms among the known."""
    return all(
        not token.values.isdisjoint(known)
        for token in read_tokens(_CITED.sub("", sentence), "en")
        if token.kind == "number" and any(letter.isdigit() for letter in token.text)
    )


def _bare(line: str) -> str:
    return " ".join(re.sub(r"\[\d+\]", "", line).split()).strip(" :.").casefold()


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))
