"""What a question asks for and about, taken apart so that two questions can be laid side by side.

"How long is the lunch break in Oslo?" asks for a duration, is about lunch and break, and names
Oslo. Only what stands where a question begins or ends asks; in "what do I do when it rains" the
"when" does not. What words mean the same, or say nothing, is in `knowledge.office_words`
and `knowledge.office_phrases`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from knowledge.grounding.closed_words import DOUBTFUL_MONTHS, MONTHS, NUMBER_WORDS, WEEKDAYS
from knowledge.language import (
    ENGLISH_FUNCTION_WORDS,
    NORWEGIAN_FUNCTION_WORDS,
    detect_language,
)
from knowledge.office_phrases import with_sayings_read
from knowledge.office_words import GROUPS, LIGHT_WORDS, MEASURES, ORDINALS, SAME_WORDS
from knowledge.words import stems

#: Where a question begins: at the beginning, after a mark, or after a preposition there.
_BEGINS = (
    r"(?:^|[:;,.!?–-]\s*)(?:(?:where|when|who|how|hvor|når) (?:and|og) |hi |hei |and |og |but |so "
    r"|hvis |at |on |in |by |from |until |for |to |innen |fra |i |på |til )*"
)

#: What is asked for, by how people ask for it; several may apply.
_ASKED = {
    "duration": r"how long\b|for how long\b|how much time\b|length of\b|hours a \w+"
    r"|how many (?:minute|hour|day|week|month|year)s\b|how many \w+ of leave\b"
    r"|hvor (?:lenge|lang|langt|lange)\b|hvor lang tid\b"
    r"|hvor mange (?:minutter|timer|dager|uker|måneder|år)\b",
    "frequency": r"how (?:often|frequent|frequently)\b|how many times\b|hvor (?:ofte|hyppig)\b"
    r"|hvor mange ganger\b",
    "count": r"how many\b|number of\b|hvor mange\b|antall\b|max(?:imum)? number\b",
    "amount": r"how (?:much|expensive|large|big|high|warm|fast)\b|prices?\b|costs?\b|rates?\b"
    r"|limit\b|allowance\b|maks\w*|hvor (?:mye|dyrt|stor|stort|høy|høyt)\b|koster?\b|pris(?:en)?\b"
    r"|grensen?\b",
    "when": r"when\b|what time\b|(?:which|what) (?:week)?(?:day|date)s?\b|deadline\b|\w* ?time of\b"
    r"|last (?:day|date)\b|opening hours\b|payday\b"
    r"|how (?:early|late)\b|hvor (?:tidlig|sent)\b|når\b|frist\w*|åpningstid\w*|stengetid\w*"
    r"|lønningsdag\b|hvilke[nt]? (?:uke)?(?:dag|dato|tid)\w*",
    "where": r"where\b|(?:which|what) (?:place|room)\b|is there somewhere\b"
    r"|hvor\b(?! (?:mange|mye|lenge|lang|langt|lange|ofte|hyppig|tidlig|god tid|dyrt|stor|stort|høy"
    r"|høyt)\b)",
    "who": r"who(?:m|se)?\b|(?:which|what) (?:person|manager|colleague)\b|hvem\b|hva heter\b"
    r"|kontaktperson\b",
    "why": r"why\b|hvorfor\b",
    "which": r"which\b|hvilke[nt]?\b",
    "how": r"how (?:do|can|should|is|are|does|to|must|would|will|could|did|it)\b|hvordan\b|how\b"
    r"|what (?:should|do|must|can) (?:i|we|you)\b.*\b(?:do|done)\b|what must be done\b"
    r"|what(?:'s)? (?:are |is )?the (?:steps|way|procedure)\b|what (?:now|if)\b"
    r"|hva (?:gjør|skal|må) (?:jeg|vi)\b|hva nå\b",
    "may": r"(?:is|are) (?:it|there|we|you)?\b.*\b(?:ok|allowed|possible|entitled|free)\b"
    r"|(?:can|may|do|does|is|are|will|could|must)\b|ok\b|is that possible"
    r"|(?:er det|får|kan|har|blir|er|sender|leverer|betaler)\b",
}  # fmt: skip

#: Wherever they stand, these ask for it.
_ANYWHERE = {
    "when": r"\b(?:deadline|payday|frist\w*|lønningsdag|stengetid\w*|åpningstid\w*|"
    r"(?:closing|opening) (?:time|hours))\b",
    "amount": r"\b(?:costs?|price|limit|koster|pris(?:en)?|grensen?|rate)\b",
    "count": r"\bnumber of\b",
    "who": r"\bname of\b",
    "frequency": r"\bhow often\b",
    "duration": r"\bhow long\b",
    "may": r"\b(?:allowed|entitled|possible|tillatt|lov|er det greit)\b",
}

#: A number, or one spelled before its measure.
_A_QUANTITY = r"(?= (?:nok |kr )?(?:\d|\w+ (?:day|week|month|year|dag|uke)))"

#: What turns a question round.
_TURNS = {
    "not": r"\b(?:not|no|never|without|cannot|ikke|ingen|aldri|uten)\b|n't\b",
    "over": rf"\b(?:over|above|more than|exceeding|mer enn)\b{_A_QUANTITY}",
    "under": rf"\b(?:under|below|less than|mindre enn)\b{_A_QUANTITY}",
    "before": r"\b(?:before|før)\b",
    "after": r"\b(?:after|etter)\b",
    "out": r"\bout of\b",
    "on": r"\b(?:turn|go|switch)\w* on\b|\bgo on\W*$",
    "off": r"\b(?:turn|go|switch)\w* (?:off|out)\b",
    "min": r"\b(?:minimum|at least|minst)\b|\bminste?\w+",
}

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_NUMBER = re.compile(r"\d+")
_UNIT_GAP = re.compile(r"(?<=\d)[ .,\u00a0](?=\d{3}\b)")


@dataclass(frozen=True)
class Frame:
    """A question taken apart.

    Attributes:
        language: `en` or `no`.
        asks: What is asked for: `when`, `amount`, …; empty if that is left open.
        keys: Stems of the words that say what it is about.
        words: All its words, folded, and their stems.
        names: Words with a capital that do not open it, folded.
        numbers: Its numbers, written or spelled, weekdays and months.
        turns: What turns it round: `not`, `before`, …
        measures: The measures it speaks of: `day`, `week`, …
        groups: For whom or where it asks, if not for everybody.
    """

    language: str
    asks: frozenset[str]
    keys: frozenset[str]
    words: frozenset[str]
    names: frozenset[str]
    numbers: frozenset[str]
    turns: frozenset[str]
    measures: frozenset[str]
    groups: frozenset[str]


def read_frame(question: str) -> Frame:
    """Take a question apart."""
    plain = unicodedata.normalize("NFKC", question).replace("’", "'")
    text = with_sayings_read(_UNIT_GAP.sub("", plain))
    language = "no" if detect_language(text) == "no" else "en"
    folded = text.casefold()
    written = _WORD.findall(text)
    words = [word.casefold().removesuffix("'s").removesuffix("'") for word in written]
    functional = NORWEGIAN_FUNCTION_WORDS if language == "no" else ENGLISH_FUNCTION_WORDS
    others = {"to", "ni", "en", "ett"} if language == "en" else {"to"} - {"to"}
    numbers = frozenset(_NUMBER.findall(folded)) | frozenset(
        str(number)
        for word in words
        if (number := ORDINALS.get(word) or NUMBER_WORDS.get(word, 0)) > 1 and word not in others
    )
    numbers |= frozenset(f"weekday {WEEKDAYS[word]}" for word in words if word in WEEKDAYS)
    numbers |= frozenset(
        f"month {MONTHS[word]}" for word in words if word in MONTHS and word not in DOUBTFUL_MONTHS
    )
    about = [
        SAME_WORDS.get(word, word)
        for word in words
        if word not in functional
        and word not in LIGHT_WORDS
        and word not in NUMBER_WORDS
        and word not in ORDINALS
        and not word.isdigit()
    ]
    return Frame(
        language=language,
        asks=_asks(folded),
        keys=frozenset(stems(about, language)),
        words=frozenset(words) | frozenset(stems(words, language)),
        names=frozenset(
            word.casefold().removesuffix("'s")
            for place, word in enumerate(written)
            if word[0].isupper()
            and not _opens(text, word, place)
            and word != "I"
            and not word.startswith("I'")
        ),
        numbers=numbers,
        turns=frozenset(turn for turn, found in _TURNING.items() if found.search(folded)),
        measures=frozenset(
            MEASURES[word]
            for word in words
            if word in MEASURES and not (language == "en" and word == "time")
        ),
        groups=frozenset(stems([SAME_WORDS.get(w, w) for w in words if w in GROUPS], language)),
    )


def _asks(folded: str) -> frozenset[str]:
    found = {name for name, pattern in _ASKING.items() if pattern.search(folded)}
    found |= {name for name, pattern in _SAYING.items() if pattern.search(folded)}
    if found & {"duration", "frequency"}:
        found -= {"count", "amount"}
    if found - {"how", "may", "which"}:
        found -= {"how", "may", "which"}
    if "how" in found:
        found -= {"may"}
    return frozenset(found)


def _opens(text: str, word: str, place: int) -> bool:
    """Whether a word stands where any has a capital: first, or after the end of a sentence."""
    return place == 0 or re.search(rf"[.!?:]\s+{re.escape(word)}\b", text) is not None


_ASKING = {name: re.compile(rf"{_BEGINS}(?:{pattern})") for name, pattern in _ASKED.items()}
_SAYING = {name: re.compile(pattern) for name, pattern in _ANYWHERE.items()}
_TURNING = {turn: re.compile(pattern) for turn, pattern in _TURNS.items()}
