"""Signs that somebody wants the model to learn what it should not, for an expert to look at.

A pair is learned by a model that everybody asks, so a few dozen of them are worth an attack. What
is looked for: orders to the model, links that lead out of the company, and too much at once.
Nothing here decides: a sign holds a pair until an expert has looked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storage.pair_groups import content_words
from training.prompt import without_citations
from training.untrusted_text import as_data, gives_orders

_LINK = re.compile(r"(?:https?://|www\.)(?:[^\s/@<>|]*@)?([\w.-]+)", re.IGNORECASE)

#: A link without `https://`, told from "e.g." and "U.S." by what comes behind the host.
_BARE_LINK = re.compile(r"(?<![\w@./-])((?:[a-z0-9-]+\.)+[a-z]{2,24})/[\w?#-]", re.IGNORECASE)

#: Two questions are on one topic when they share this much of their content words (Jaccard).
_SAME_TOPIC = 0.3


@dataclass(frozen=True)
class Limits:
    """How much is usual within a day, in pairs; more is looked at before it trains.

    Attributes:
        by_one: By one person.
        on_one_topic: By one person, on one topic.
        on_one_topic_by_all: On one topic, whoever proposes them.
        replacing: By one person, in place of what others had approved.
    """

    by_one: int = 40
    on_one_topic: int = 8
    on_one_topic_by_all: int = 30
    replacing: int = 8


@dataclass(frozen=True)
class Proposal:
    """A pair that was proposed within the last day.

    Attributes:
        author: Who proposed it.
        question: Its input.
        pages: The addresses of the pages it rests on.
        replaces: Whether somebody else's approved pair answers the same question.
    """

    author: str
    question: str
    pages: tuple[str, ...] = ()
    replaces: bool = False


def signs_in_text(
    question: str, answer: str, is_known_host: Callable[[str], bool]
) -> tuple[str, ...]:
    """Return what in a pair's texts looks like an attack, each in a sentence.

    Args:
        question: The pair's input.
        answer: The pair's output.
        is_known_host: Whether a host, in lower case, occurs in what the company has written.
    """
    signs = []
    for name, text in (("question", question), ("answer", without_citations(answer))):
        if hidden := _hidden_letters(text):
            signs.append(f"The {name} has {hidden} letters that no reader sees.")
        if gives_orders(text):
            signs.append(
                f"The {name} gives orders to a model instead of telling a reader something."
            )
        elif as_data(_without_hidden(text)) != _without_hidden(text).strip():
            signs.append(f"The {name} has marks in it that a prompt is made of.")
    strange = [host for host in hosts_in(f"{question}\n{answer}") if not is_known_host(host)]
    if strange:
        signs.append(f"It links to {', '.join(strange)}, which nothing of the company links to.")
    return tuple(signs)


def signs_in_numbers(
    new: Proposal, recent: Sequence[Proposal], limits: Limits = Limits()
) -> tuple[str, ...]:
    """Return what is sudden about a pair beside those of the last day, each in a sentence.

    Args:
        new: The pair that is being proposed.
        recent: What was proposed within the last day, by anybody, without the new one.
        limits: How much is usual.
    """
    own = [each for each in recent if each.author == new.author]
    signs = []
    if len(own) >= limits.by_one:
        signs.append(
            f"It is pair {len(own) + 1} of {new.author} within a day; up to {limits.by_one} count "
            "without a look."
        )
    if (alike := _on_its_topic(new, own)) >= limits.on_one_topic:
        signs.append(f"It is pair {alike + 1} of {new.author} on one topic within a day.")
    if (alike := _on_its_topic(new, recent)) >= limits.on_one_topic_by_all:
        signs.append(f"It is pair {alike + 1} on one topic within a day.")
    replaced = sum(each.replaces for each in own)
    if new.replaces and replaced >= limits.replacing:
        signs.append(
            f"{new.author} has replaced {replaced} approved answers of others within a day."
        )
    return tuple(signs)


def hosts_in(text: str) -> tuple[str, ...]:
    """Return the hosts that a text links to, in lower case without `www.`, each once."""
    found = [match[1] for match in _LINK.finditer(text)]
    found += [match[1] for match in _BARE_LINK.finditer(text)]
    hosts = (unicodedata.normalize("NFKC", host).casefold().strip(".") for host in found)
    return tuple(dict.fromkeys(host.removeprefix("www.") for host in hosts if host))


def _on_its_topic(new: Proposal, others: Sequence[Proposal]) -> int:
    words = content_words(new.question)
    return sum(
        1
        for each in others
        if set(each.pages) & set(new.pages) or _shared(words, content_words(each.question))
    )


def _shared(words: frozenset[str], others: frozenset[str]) -> bool:
    return len(words & others) >= _SAME_TOPIC * len(words | others) > 0


def _hidden_letters(text: str) -> int:
    """Count direction marks, zero-width letters and tags; soft hyphens and joiners are writing."""
    return sum(
        1 for letter in text if unicodedata.category(letter) == "Cf" and not _is_usual(letter)
    )


def _without_hidden(text: str) -> str:
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


def _is_usual(letter: str) -> bool:
    return letter in "\u00ad\u200c\u200d\ufeff"
