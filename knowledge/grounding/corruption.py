"""Making a true sentence false: one number, name, date, unit, denial or opposite changed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knowledge.grounding.clauses import raised
from knowledge.grounding.closed_words import (
    ARTICLES,
    MONTHS,
    NORWEGIAN_ALONE,
    NUMBER_WORDS,
    UNITS,
    WEEKDAYS,
)
from knowledge.grounding.facts import FUNCTION_WORDS, number_value
from knowledge.grounding.false_words import AUXILIARIES, OPPOSITES_MADE, REMOVALS, UNIT_GROUPS

_YEAR = re.compile(r"(?<![\d.,])(?:1[5-9]|20)\d\d(?![\d.,]\d|\d)")
_DIGITS = re.compile(r"(?<![\w.,/#-])\d+(?:[ .,]\d{3})*(?:[.,]\d+)?(?![\w/-])")
_CLOCK = re.compile(r"\b(\d{1,2})([:.])(\d{2})\b|\b(\d{1,2})(\s?[ap]m)\b")
_NAME = re.compile(r"(?<=[\wæøå,;–-] )[A-ZÆØÅ][\wæøå]+(?: (?:[A-ZÆØÅ]|av |de |von )[\wæøåÆØÅ]+)*")


@dataclass(frozen=True)
class Case:
    """A true sentence that is to be made false, and what a false fact may be taken from.

    Attributes:
        sentence: What to change.
        language: `en` or `no`.
        chance: Where everything that is drawn comes from.
        same: The text of the passages that the statement stands beside.
        other: Text of other pages in the same language.
        source: The sentence that supports the statement: what it says is never put in.
    """

    sentence: str
    language: str
    chance: random.Random
    same: str
    other: str
    source: str


Corrupt = Callable[[Case], "str | None"]


def change_number(case: Case) -> str | None:
    """Put another number in place of one that is neither a year nor a time."""
    held = [
        match for match in _DIGITS.finditer(case.sentence)
        if not _YEAR.fullmatch(match.group()) and not _in_clock(case.sentence, match)
        and not _in_date(case.sentence, match)
    ]  # fmt: skip
    words = [
        match
        for match in re.finditer(r"[^\W\d_]+", case.sentence)
        if match.group().casefold() in NUMBER_WORDS
        and match.group().casefold() not in ARTICLES
        and (case.language == "no" or match.group().casefold() not in NORWEGIAN_ALONE)
    ]
    if not held and not words:
        return None
    match = case.chance.choice(held + words)
    said = {number_value(found) for found in _DIGITS.findall(case.sentence + " " + case.source)}
    words_known = re.findall(r"[^\W\d_]+", f"{case.sentence} {case.source}".casefold())
    said |= {str(NUMBER_WORDS[word]) for word in words_known if word in NUMBER_WORDS}
    if match in words:
        value = NUMBER_WORDS[match.group().casefold()]
        choices = [
            word
            for word, other in NUMBER_WORDS.items()
            if 1 < other <= 20
            and other != value
            and str(other) not in said
            and (list(NUMBER_WORDS).index(word) < 21) == (case.language == "en")
        ]
        word = case.chance.choice(choices)
        return _put(case.sentence, match, raised(word) if match.group()[0].isupper() else word)
    elsewhere = [
        found
        for found in _DIGITS.findall(case.same)
        if number_value(found) not in said and not _YEAR.fullmatch(found)
    ]
    if elsewhere and case.chance.random() < 0.4:
        return _put(case.sentence, match, case.chance.choice(elsewhere))
    plain = number_value(match.group())
    for _ in range(20):
        new = _another_number(plain, match.group(), case.chance)
        if new is not None and number_value(new) not in said:
            return _put(case.sentence, match, new)
    return None


def change_name(case: Case) -> str | None:
    """Put another name in place of one, from the same passages or from another page."""
    held = [
        match
        for match in _NAME.finditer(case.sentence)
        if _is_name(match.group()) and not _is_common(match.group(), case)
    ]
    if not held:
        return None
    match = case.chance.choice(held)
    for text in (case.same, case.other) if case.chance.random() < 0.5 else (case.other,):
        names = [
            name
            for name in _NAME.findall(text)
            if _is_name(name)
            and not _is_common(name, case)
            and not set(name.split()) & set(re.findall(r"\w+", case.sentence + " " + case.source))
        ]
        same_length = [n for n in names if len(n.split()) == len(match.group().split())]
        if same_length or names:
            return _put(case.sentence, match, case.chance.choice(same_length or names))
    return None


def change_date(case: Case) -> str | None:
    """Put another month, weekday, year or time of day in place of one."""
    held: list[tuple[re.Match[str], list[str]]] = []
    known = (case.sentence + " " + case.source).casefold()
    for table in (MONTHS, WEEKDAYS):
        for match in re.finditer(r"[^\W\d_]+", case.sentence):
            word = match.group()
            number = table.get(word.casefold())
            if (
                number is None
                or len(word) < 3
                or (table is MONTHS and not _is_month(case.sentence, match))
            ):
                continue
            alike = [
                other
                for other in _same_form(table, word.casefold(), case.language)
                if table[other] != number and other not in known
            ]
            if alike:
                held.append((match, [o.capitalize() if word[0].isupper() else o for o in alike]))
    for match in _YEAR.finditer(case.sentence):
        year = int(match.group())
        found = [y for y in _YEAR.findall(case.same) if y not in known]
        near = [str(year + step) for step in (-12, -5, -3, -2, -1, 1, 2, 3, 5, 10)]
        held.append((match, [y for y in (found or near) + near if y not in known]))
    for match in _CLOCK.finditer(case.sentence):
        hour = int(match[1] or match[4])
        new = [str(h) for h in range(1, 12) if abs(h - hour % 12) > 0 and str(h) not in known]
        if new and hour < 24:
            tail = f"{match[2]}{match[3]}" if match[1] else match[5]
            held.append((match, [value + tail for value in new]))
    held = [(match, choices) for match, choices in held if choices]
    if not held:
        return None
    match, choices = case.chance.choice(held)
    return _put(case.sentence, match, case.chance.choice(choices))


def change_unit(case: Case) -> str | None:
    """Put another unit of the same kind behind or before a number."""
    written = "|".join(
        re.escape(word)
        for word in NUMBER_WORDS
        if word not in ARTICLES and (case.language == "no" or word not in NORWEGIAN_ALONE)
    )
    number = rf"(?:\d[\d.,  ]*|\b(?:{written})\b)"
    held = []
    for group in UNIT_GROUPS:
        forms = [alternative.split() for alternative in group.split("|")]
        for place, alternative in enumerate(forms):
            for form, word in enumerate(alternative):
                bare = re.escape(word)
                pattern = rf"{bare}(?=\d)" if word in "$€£" else rf"(?i)(?<={number[-1]})\b{bare}\b"
                pattern = pattern if word in "$€£" else rf"(?i)(?:{number})[- ]?(?:\w+ )?({bare})\b"
                for match in re.finditer(pattern, case.sentence):
                    new = [
                        other[min(form, len(other) - 1)]
                        for at, other in enumerate(forms)
                        if at != place and UNITS.get(other[0]) != UNITS.get(word, "?")
                    ]
                    span = match.span(1) if match.re.groups else match.span()
                    held += [(span, choice) for choice in new]
    if not held:
        return None
    (start, end), new_unit = case.chance.choice(held)
    if case.sentence[start].isupper():
        new_unit = new_unit.upper() if case.sentence[start:end].isupper() else new_unit.capitalize()
    return case.sentence[:start] + new_unit + case.sentence[end:]


def change_denial(case: Case) -> str | None:
    """Take a denial out, or put one in behind the first auxiliary verb."""
    for pattern, new in REMOVALS[case.language]:
        changed = re.sub(pattern, new, case.sentence, count=1)
        if changed != case.sentence:
            return changed
    verbs = "|".join(AUXILIARIES[case.language].split())
    match = re.search(rf"\b({verbs})\b(?! not\b| ikke\b)", case.sentence)
    if match is None or case.sentence.rstrip().endswith("?"):
        return None
    end = match.end()
    word = "not" if case.language == "en" else "ikke"
    if case.chance.random() < 0.2:
        word = "never" if case.language == "en" else "aldri"
    if case.language == "no":
        subject = re.match(
            r" (?:jeg|du|vi|han|hun|de|det|den|man|dere|[A-ZÆØÅ]\w+)\b", case.sentence[end:]
        )
        end += subject.end() if subject else 0
    return f"{case.sentence[:end]} {word}{case.sentence[end:]}"


def change_opposite(case: Case) -> str | None:
    """Put the opposite of a word in its place: "before" for "after"."""
    own = OPPOSITES_MADE[case.language]
    held = [m for m in re.finditer(r"[^\W\d_]+", case.sentence) if m.group().casefold() in own]
    if not held:
        return None
    match = case.chance.choice(held)
    new = own[match.group().casefold()]
    return _put(case.sentence, match, new.capitalize() if match.group()[0].isupper() else new)


#: The kinds by name.
CORRUPTIONS: dict[str, Corrupt] = {
    "number": change_number,
    "name": change_name,
    "date": change_date,
    "unit": change_unit,
    "negation": change_denial,
    "opposite": change_opposite,
}


def _put(sentence: str, match: re.Match[str], new: str) -> str:
    return sentence[: match.start()] + new + sentence[match.end() :]


def _another_number(plain: str, written: str, chance: random.Random) -> str | None:
    try:
        value = float(plain)
    except ValueError:
        return None
    if value != int(value) or value > 1e12:
        digits = list(written)
        places = [place for place, letter in enumerate(digits) if letter.isdigit()]
        place = chance.choice(places)
        digits[place] = chance.choice([d for d in "123456789" if d != digits[place]])
        return "".join(digits)
    whole = int(value)
    new = chance.choice((whole * 2, whole * 3, whole + 1, whole + 5, whole + 10, max(1, whole - 1),
                         max(2, whole // 2), whole * 10, int(str(whole)[::-1]) or 7))  # fmt: skip
    if new == whole:
        return None
    separator = next(
        (mark for mark in ",. " if re.search(rf"\d{re.escape(mark)}\d{{3}}", written)), ""
    )
    return f"{new:,}".replace(",", separator) if separator else str(new)


def _in_clock(sentence: str, match: re.Match[str]) -> bool:
    return any(c.start() <= match.start() < c.end() for c in _CLOCK.finditer(sentence))


def _in_date(sentence: str, match: re.Match[str]) -> bool:
    before, after = sentence[: match.start()].split()[-1:], sentence[match.end() :].split()[:1]
    return any(word.strip(".,").casefold() in MONTHS for word in before + after)


def _is_month(sentence: str, match: re.Match[str]) -> bool:
    if match.group().casefold() not in ("may", "mars", "march", "mar", "des", "jan", "sep", "dec"):
        return True
    beside = sentence[: match.start()].split()[-1:] + sentence[match.end() :].split()[:1]
    return any(any(letter.isdigit() for letter in word) for word in beside)


def _is_name(written: str) -> bool:
    folded = written.casefold()
    return (
        len(written) > 2 and folded not in MONTHS and folded not in WEEKDAYS and folded not in UNITS
    )


def _is_common(name: str, case: Case) -> bool:
    """Whether a capital is just a sentence's beginning: its first word also stands small."""
    first = name.split(maxsplit=1)[0].casefold()
    pattern = rf"(?<![\w]){re.escape(first)}(?!\w)"
    return first in FUNCTION_WORDS or bool(re.search(pattern, f"{case.same} {case.other}"))


def _same_form(table: dict[str, int], word: str, language: str) -> Sequence[str]:
    words = list(table)
    per_number: dict[int, list[str]] = {}
    for other in words:
        per_number.setdefault(table[other], []).append(other)
    index = 0 if language == "en" else 1
    if table is WEEKDAYS:
        index = per_number[table[word]].index(word)
    return [forms[index] if index < len(forms) else forms[0] for forms in per_number.values()]
