"""Telling English from Norwegian by the words that carry no subject."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Language = Literal["en", "no", "other"]

#: Function words of English. Words that are also Norwegian (`i`, `for`, `at`, `so`) are in both.
ENGLISH_FUNCTION_WORDS = frozenset(
    """
    a about after all also am an and any anyone are as at be because been before being but by can
    cannot could did do does doing don each for from get gets give given go has have having he
    hello her here hey hi him his how i if in into is it its just let like may me might more most
    my need no not of off on once one only or other our ours out over own please quick question
    s same she should so some somebody someone such t than thank thanks that the their theirs
    them then there these they this those through to too under until up us very was we
    were what when where which while who whom whose why will with within would you your yours
    """.split()
)

#: Function words of Norwegian (Bokmål, with the most common of Nynorsk).
NORWEGIAN_FUNCTION_WORDS = frozenset(
    """
    alle andre at av bare ble bli blir både da de deg dei dem den denne der dere deres det dette
    din ditt dog du dykk då eg ein ei eit eller en enn er et etter for fordi fra få får før gi gir
    går gå ha hadde han har hei henne hennes her hjem hun hva hvem hver hvilke hvilken hvilket hvis
    hvor hvordan hvorfor i ikke ikkje inn ja jeg jo kan kven kva korleis kunne man med meg mellom
    men mer mi min mine mitt mot mye må måtte nei noe noen nokon nå når og også om opp oss over på
    sa seg selv si sin sine sitt skal skulle slik som så takk til uten ut var ved vi vil ville vår
    våre vårt være vært å
    """.split()
)

_ENGLISH_ONLY = ENGLISH_FUNCTION_WORDS - NORWEGIAN_FUNCTION_WORDS
_NORWEGIAN_ONLY = NORWEGIAN_FUNCTION_WORDS - ENGLISH_FUNCTION_WORDS - {"de", "den", "man"}

#: How much of a text is looked at, in characters.
_LOOKED_AT = 20_000

#: A text with more words than this and hardly a function word of ours is another language.
_LONG = 12

_WORD = re.compile(r"[^\W\d_]+")


def detect_language(text: str) -> Language:
    """Return the language of a text or question: `en`, `no`, or `other`.

    Counts function words that only one of the two languages has; the letters æ, ø and å speak
    for Norwegian. Without any evidence a short text in Latin letters counts as English.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", text[:_LOOKED_AT]).casefold())
    if not words:
        return "en"
    latin = sum(1 for word in words if unicodedata.name(word[0], "").startswith("LATIN"))
    if latin * 2 < len(words):
        return "other"
    english = sum(1 for word in words if word in _ENGLISH_ONLY)
    norwegian = 1.0 * sum(1 for word in words if word in _NORWEGIAN_ONLY)
    norwegian += sum(0.5 for word in words if not set("æøå").isdisjoint(word))
    if norwegian > english:
        return "no"
    if len(words) > _LONG and english < 0.05 * len(words):
        return "other"
    return "en"
