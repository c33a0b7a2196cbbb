"""Threads in which a question was answered by someone trusted, from what was said in a channel.

Whether a reply is right is not known here: what is found is proposed, and people approve it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.sources.slack_talk import Message, Talk

#: What asks in English and Norwegian when nobody types a question mark.
_ASKS = re.compile(
    r"^\W*(?:(?:hi|hello|hey|hei|heisann|morning|god\s+morgen)\b[\w\s@]{0,30}?[,.!:–-]*\s+)?"
    r"(?:(?:quick\s+question|kjapt\s+spørsmål)\W+)?"
    r"(?:who|whom|whose|what|when|where|which|why|how|can|could|may|is|are|am|do|does|did|should"
    r"|would|will|has|have|anyone|anybody|does\s+anyone|hvem|hva|når|hvor|hvorfor|hvordan|hvilken"
    r"|hvilket|hvilke|kan|får|må|skal|er|har|finnes|noen\s+som|vet\s+noen)\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"<[^<>\s]+>")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_WORD = re.compile(r"[^\W_]{2,}")

_THANKS = re.compile(
    r"\b(?:thanks?|thank\s+you|thx|cheers|perfect|that\s+(?:works|helps|did\s+it)|got\s+it"
    r"|takk|tusen\s+takk|supert|perfekt|det\s+funket|den\s+er\s+grei)\b",
    re.IGNORECASE,
)

#: Reactions that say "this is right" when the asker gives them.
_RIGHT = frozenset(
    "white_check_mark heavy_check_mark ballot_box_with_check 100 raised_hands pray +1 thumbsup "
    "tada heart ok_hand".split()
)

#: A reply of fewer words answers nothing by itself ("yes", "will check").
_FEWEST_WORDS = 4

#: How people begin what they say instead of what they have just said.
_CORRECTS = re.compile(
    r"^\W*(?:no|nei|nope|sorry|beklager|correction|rettelse|actually|scratch\s+that|wait|vent)\b",
    re.IGNORECASE,
)

#: Messages of one person that follow each other within so many seconds are one reply.
_ONE_REPLY = 900.0

Why = Literal[
    "nothing was asked",
    "nobody replied",
    "nobody trusted replied",
    "the replies say too little",
    "the first message is gone",
]


@dataclass(frozen=True)
class AnsweredThread:
    """A question with the reply that answers it best.

    Attributes:
        question: The first message, as people read it.
        answer: The messages of the reply, in their order.
        is_confirmed: Whether the asker thanked for it or marked it as right.
    """

    question: Message
    answer: tuple[Message, ...]
    is_confirmed: bool


@dataclass(frozen=True)
class UnansweredThread:
    """A thread that is no proposal, and why."""

    thread: str
    reason: Why


def find_answers(
    talk: Talk, is_trusted: Callable[[str], bool]
) -> Iterator[AnsweredThread | UnansweredThread]:
    """Yield what became of each thread of a channel, oldest first.

    Args:
        talk: What was said in the channel.
        is_trusted: Whether answers of a person, by id, are worth a proposal.
    """
    threads: dict[str, list[Message]] = defaultdict(list)
    for ts in sorted(talk.messages, key=float):
        threads[talk.messages[ts].thread].append(talk.messages[ts])
    for thread in sorted(threads, key=float):
        yield _judged(thread, threads[thread], is_trusted)


def asks(text: str) -> bool:
    """Whether a message, as Slack keeps it, asks something."""
    plain = _LINK.sub(" ", _CODE.sub(" ", text))  # an address may hold a question mark
    if len(_WORD.findall(plain)) < 2:
        return False
    return "?" in plain or _ASKS.search(plain) is not None


def _judged(
    thread: str, messages: Sequence[Message], is_trusted: Callable[[str], bool]
) -> AnsweredThread | UnansweredThread:
    first, replies = messages[0], messages[1:]
    if first.ts != thread:
        return UnansweredThread(thread, "the first message is gone")
    if not asks(first.raw):
        return UnansweredThread(thread, "nothing was asked")
    if not any(reply.user != first.user for reply in replies):
        return UnansweredThread(thread, "nobody replied")
    by_others = [
        each
        for each in _gathered(replies)
        if each[0].user != first.user and is_trusted(each[0].user)
    ]
    if not by_others:
        return UnansweredThread(thread, "nobody trusted replied")
    telling = [each for each in by_others if _tells(each)]
    if not telling:
        return UnansweredThread(thread, "the replies say too little")
    confirmed = [each for each in telling if _is_confirmed(each, first.user, replies)]
    return AnsweredThread(first, (confirmed or telling)[0], bool(confirmed))


def _gathered(replies: Sequence[Message]) -> list[tuple[Message, ...]]:
    """Join the messages that one person wrote in a row, from the last correction of oneself on."""
    gathered: list[list[Message]] = []
    for reply in replies:
        last = gathered[-1][-1] if gathered else None
        if (
            last is not None
            and last.user == reply.user
            and float(reply.ts) - float(last.ts) <= _ONE_REPLY
        ):
            if _CORRECTS.search(reply.raw):
                gathered[-1].clear()
            gathered[-1].append(reply)
        else:
            gathered.append([reply])
    return [tuple(each) for each in gathered]


def _tells(reply: Sequence[Message]) -> bool:
    text = " ".join(message.raw for message in reply)
    words = len(_WORD.findall(_LINK.sub(" ", text)))
    asks_back = text.rstrip().endswith("?") and words < 3 * _FEWEST_WORDS
    has_fact = any(character.isdigit() for character in text) or _LINK.search(text) is not None
    return not asks_back and (words >= _FEWEST_WORDS or (words >= 1 and has_fact))


def _is_confirmed(reply: Sequence[Message], asker: str, replies: Sequence[Message]) -> bool:
    for message in reply:
        if any(
            asker in users for name, users in message.reactions.items() if _plain(name) in _RIGHT
        ):
            return True
    after = [each for each in replies if float(each.ts) > float(reply[-1].ts)]
    return bool(after) and after[0].user == asker and _THANKS.search(after[0].raw) is not None


def _plain(reaction: str) -> str:
    """Return a reaction's name without its skin tone."""
    return reaction.partition("::")[0]
