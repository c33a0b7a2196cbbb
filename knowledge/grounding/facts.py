"""The words of a text with what can be checked about them: numbers, dates, units, names, denials.

Numbers are read whatever they are written like: 1 000 = 1,000 = 1.000 = "one thousand" = 1k;
"five" = "fem" = 5; 9am = 09:00; 1 May 2024 = 2024-05-01 = 1.5.2024.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from knowledge.grounding.closed_words import (
    ARTICLES,
    DENIALS,
    DOUBTFUL_MONTHS,
    MONTHS,
    NORWEGIAN_ALONE,
    NUMBER_WORDS,
    SCALES,
    UNITS,
    UNITS_IN_FRONT,
    WEEKDAYS,
)
from knowledge.language import ENGLISH_FUNCTION_WORDS, NORWEGIAN_FUNCTION_WORDS
from knowledge.words import stems

Kind = Literal["word", "number", "date", "name", "code"]

FUNCTION_WORDS = (ENGLISH_FUNCTION_WORDS | NORWEGIAN_FUNCTION_WORDS) - DENIALS

_TOKEN = re.compile(
    r"""
    (?P<code>(?:https?://|www\.|mailto:)[^\s<>|)\]"']+ | [\w.+-]+@[\w-]+(?:\.[\w-]+)+
        | [\#@][\w][\w-]* | (?<![\w])[\w-]+(?:/[\w.-]+)+/?)
    | (?P<isodate>\b\d{4}-\d{2}-\d{2}\b) | (?P<dotdate>\b\d{1,2}\.\d{1,2}\.\d{4}\b)
    | (?P<clock>\b\d{1,2}[:.]\d{2}\s?(?:[ap]\.?m\b\.?)?(?![\d%])(?=\W|$)|\b\d{1,2}\s?[ap]\.?m\b\.?)
    | (?P<number>\d+(?:[ \u00a0\u202f]\d{3}(?!\d))+(?:[.,]\d+)?|\d+(?:[.,]\d+)*)
    | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)
    | (?P<sign>[%$€£°])
    | (?P<mark>[.!?:;,\n()«»“”"…•|])
    """,
    re.VERBOSE,
)

#: "No less than" and "not only" deny nothing.
_NO_DENIAL_BEFORE = frozenset(
    "less more fewer later earlier only least mindre mer færre flere bare kun senere minst".split()
)

#: Words that often open a sentence in front of a name without being part of it.
_OPENERS = frozenset(
    """
    ask call contact email message ping see use tell write book visit join send check meet thank
    both only even when while yes contacting using according since until dear also reach add open
    spør ring kontakt se bruk si skriv bestill send besøk møt både bare også kjære ifølge åpne
    """.split()
)

_BREAKS = frozenset('.!?:\n«“"•|')


@dataclass(frozen=True)
class Token:
    """A word of a text.

    Attributes:
        text: As written.
        folded: Case-folded.
        stem: What is compared.
        kind: What it is.
        values: For anything but plain words, what it stands for in a canonical form; two tokens
            say the same if they share one.
        unit: For a number, what it counts, if that is a known unit.
        is_content: Whether it says what the text is about.
        is_denial: Whether it denies something.
        opens: Whether it stands where any word is capitalised.
        clause: Number of the clause, counted by commas and other marks.
    """

    text: str
    folded: str
    stem: str
    kind: Kind
    values: frozenset[str] = frozenset()
    unit: str | None = None
    is_content: bool = True
    is_denial: bool = False
    opens: bool = False
    clause: int = 0


@lru_cache(maxsize=2048)  # a question is read again with every sentence of its answer
def read_tokens(text: str, language: str) -> tuple[Token, ...]:
    """Return the words of `text` in order.

    Args:
        text: Any text; links in Markdown are read as written.
        language: `en` or `no`, the language that words are stemmed in.
    """
    other_words = frozenset() if language == "no" else NORWEGIAN_ALONE
    raw = list(_raw(unicodedata.normalize("NFKC", text), other_words))
    stemmed = stems([token.folded for token in raw], language)
    tokens = [replace(token, stem=stem) for token, stem in zip(raw, stemmed, strict=True)]
    tokens = _without_seeming_denials(tokens)
    return tuple(_with_units(_with_names(_with_scales(_with_dates(tokens))), other_words))


def key_of(token: Token) -> str:
    """Return what two tokens are compared by: what they stand for, else their stem."""
    return min(token.values) if token.values else token.stem


def number_value(written: str) -> str:
    """Return the canonical form of a number in digits: no thousands separators, no idle zeros."""
    plain = re.sub(r"[ \u00a0\u202f]", "", written)
    plain = re.sub(r"(?<=\d)[.,](?=\d{3}(?:\D|$))", "", plain).replace(",", ".")
    if plain.count(".") > 1:  # a version or a numbered heading
        return plain
    whole, _, part = plain.partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if part else "")


def _raw(text: str, other_words: frozenset[str]) -> Iterator[Token]:
    opens, clause = True, 0
    for match in _TOKEN.finditer(text):
        group, written = match.lastgroup or "", match.group()
        if group == "mark":
            opens = opens or written in _BREAKS
            clause += 1
            continue
        yield from _read(group, written, opens, clause, other_words)
        opens = False


def _read(
    group: str, written: str, opens: bool, clause: int, other_words: frozenset[str]
) -> Iterator[Token]:
    folded = written.casefold()

    def token(kind: Kind, *values: str, is_content: bool = True) -> Token:
        return Token(
            written, folded, folded, kind, frozenset(values), None, is_content, False, opens, clause
        )

    if group == "code":
        yield token("code", "c" + folded.rstrip(".,;:!?").removeprefix("mailto:"))
    elif group == "isodate":
        year, month, day = written.split("-")
        yield from _date(token, int(day), int(month), year)
    elif group == "dotdate":
        day, month, year = written.split(".")
        yield from _date(token, int(day), int(month), year)
    elif group == "clock":
        yield token("number", *_clock(folded))
    elif group == "number":
        yield token("number", "n" + number_value(written))
    elif group == "sign":
        yield token("word", is_content=False)
    elif folded in NUMBER_WORDS and folded not in other_words:
        is_article = folded in ARTICLES
        yield token("word" if is_article else "number", f"n{NUMBER_WORDS[folded]}",
                    is_content=not is_article)  # fmt: skip
    elif folded in WEEKDAYS:
        yield token("date", f"w{WEEKDAYS[folded]}")
    else:
        bare = re.sub(r"['’]s$", "", folded)
        denies = folded in DENIALS or folded.endswith(("n't", "n’t"))
        word = Token(written, bare, bare, "word", frozenset(), None,
                     bare not in FUNCTION_WORDS and not denies, denies, opens, clause)  # fmt: skip
        yield word


def _date(token, day: int, month: int, year: str) -> Iterator[Token]:  # type: ignore[no-untyped-def]
    yield token("number", f"n{day}")
    yield token("date", f"m{month}")
    yield token("number", f"n{year}")


def _clock(folded: str) -> list[str]:
    digits = re.findall(r"\d+", folded)
    hour, minute = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    values = []
    if "p" in folded and hour < 12:
        values.append(f"n{hour}" if not minute else f"n{hour}.{minute}")
        hour += 12
    values.append(f"t{hour * 60 + minute}")
    if minute == 0:
        values.append(f"n{hour}")
    elif "." in folded:  # 7.30 may be a time or a number
        values.append("n" + number_value(f"{hour}.{digits[1]}"))
    return values


def _without_seeming_denials(tokens: list[Token]) -> list[Token]:
    return [
        replace(token, is_denial=False)
        if token.is_denial
        and place + 1 < len(tokens)
        and tokens[place + 1].folded in _NO_DENIAL_BEFORE
        else token
        for place, token in enumerate(tokens)
    ]


def _with_dates(tokens: list[Token]) -> list[Token]:
    dated = []
    for place, token in enumerate(tokens):
        month = MONTHS.get(token.folded) if token.kind == "word" else None
        if month is not None and token.folded in DOUBTFUL_MONTHS:
            near = tokens[max(0, place - 1) : place] + tokens[place + 1 : place + 2]
            beside_number = any(other.kind == "number" for other in near)
            capital = token.text[0].isupper() and not token.opens
            if not (capital or (beside_number and token.folded != "may")):
                month = None
        if month is None:
            dated.append(token)
        else:
            dated.append(
                replace(token, kind="date", values=frozenset({f"m{month}"}), is_content=True)
            )
    return dated


def _with_scales(tokens: list[Token]) -> list[Token]:
    """Multiply "2 million"; join "5k" which was read as a number and a word."""
    scaled: list[Token] = []
    for token in tokens:
        before = scaled[-1] if scaled else None
        scale = SCALES.get(token.folded)
        if scale and before and before.kind == "number" and token.clause == before.clause:
            values = {
                "n" + _times(value[1:], scale) for value in before.values if value.startswith("n")
            }
            if values:
                scaled[-1] = replace(before, values=frozenset(values))
                continue
        scaled.append(token)
    return scaled


def _times(value: str, scale: int) -> str:
    try:
        return f"{float(value) * scale:.4f}".rstrip("0").rstrip(".")
    except ValueError:
        return value


def _with_units(tokens: list[Token], other_words: frozenset[str]) -> list[Token]:
    for place, token in enumerate(tokens):
        if token.kind != "number":
            continue
        before = tokens[place - 1] if place else None
        if before is not None and before.folded in UNITS_IN_FRONT:
            tokens[place] = replace(token, unit=UNITS[before.folded])
            continue
        for other in tokens[place + 1 : place + 4]:
            if other.clause != token.clause or other.kind in ("number", "date"):
                break
            if (
                other.folded in UNITS
                and other.folded not in other_words
                and not (other.text.isupper() and len(other.text) == 1)
            ):
                tokens[place] = replace(token, unit=UNITS[other.folded])
                break
    return tokens


def _with_names(tokens: list[Token]) -> list[Token]:
    """Tell names by their capitals, where not every word has one."""
    named = []
    for token in tokens:
        is_name = (
            token.kind == "word"
            and token.is_content
            and not token.is_denial
            and token.text[0].isupper()
            and not token.opens
            and token.folded not in UNITS
            and not token.text.startswith(("I'", "I’"))
        )
        if is_name:
            token = replace(token, kind="name", values=frozenset({"a" + token.stem}))  # noqa: PLW2901
        named.append(token)
    # "Jonas Wiik checks": the first of two capitals is a name too, also where a sentence begins.
    for place in range(len(named) - 1):
        first, second = named[place], named[place + 1]
        if (
            first.opens
            and first.kind == "word"
            and first.folded not in _OPENERS
            and first.is_content
            and first.text[0].isupper()
            and second.kind == "name"
            and first.clause == second.clause
        ):
            named[place] = replace(first, kind="name", values=frozenset({"a" + first.stem}))
    return named
