"""From the text of a Slack message to a question that can be searched and asked."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress

from bot.told import Told

#: Longer questions are refused: they are documents, not questions.
LONGEST_QUESTION = 4_000

_MENTION = re.compile(r"<[@!#][^>]*>")
_LINK = re.compile(r"<((?:https?|mailto):[^>|]*)(?:\|([^>]*))?>")
_EMOJI_NAME = re.compile(r":[a-z0-9_+'-]+:")
_SPACES = re.compile(r"\s+")


class QuestionUnusable(Told):
    """There is nothing to answer; the message is what the person is told."""


def clean_question(raw: str) -> str:
    """Return the question in `raw`: normalised, without mentions and invisible characters.

    Raises:
        QuestionUnusable: nothing is left that could be asked, or it is too long.
    """
    text = _MENTION.sub(" ", raw)
    text = _LINK.sub(lambda link: link.group(2) or link.group(1), text)
    text = html.unescape(text)
    text = _SPACES.sub(" ", _visible(unicodedata.normalize("NFC", _encodable(text)))).strip()
    if not text:
        raise QuestionUnusable(
            "I am here, but there was no question in your message. "
            "Ask me something about how we do things, in a sentence."
        )
    if len(text) > LONGEST_QUESTION:
        raise QuestionUnusable(
            "Your message has {length:,} characters, and I can read {longest:,}. "
            "Ask for the part you need, in a sentence or two.",
            length=len(text),
            longest=LONGEST_QUESTION,
        )
    if not any(character.isalnum() for character in _EMOJI_NAME.sub("", text)):
        raise QuestionUnusable(
            "I could not find any words in your message. Ask me in a sentence, please."
        )
    return text


def clean_questions(raw: Iterable[str]) -> tuple[str, ...]:
    """Return those of some messages that hold a question, cleaned."""
    found = []
    for each in raw:
        with suppress(QuestionUnusable):
            found.append(clean_question(each))
    return tuple(found)


def _encodable(text: str) -> str:
    """Drop lone surrogates, which no database can store."""
    return text.encode("utf-8", "ignore").decode("utf-8")


def _visible(text: str) -> str:
    """Drop what a reader cannot see: controls, direction marks, tag characters.

    The zero-width joiners stay: emoji and several scripts are spelt with them.
    """
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category == "Cc":
            kept.append(" ")
        elif category != "Cf" or character in "\u200c\u200d":
            kept.append(character)
    return "".join(kept)
