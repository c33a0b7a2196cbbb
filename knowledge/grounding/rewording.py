"""Saying a sentence in other words, so that a check learns that true is not the same as copied.

Every rule keeps the sense and returns None where it does not apply.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from knowledge.grounding import clauses
from knowledge.grounding.clauses import lowered, raised
from knowledge.grounding.closed_words import ARTICLES, MONTHS, NUMBER_WORDS
from knowledge.grounding.other_words import FILLERS, PERSONS, SYNONYMS, WRAPPERS

Reword = Callable[[str, random.Random], "str | None"]

#: Norwegian questions, and where the answer goes.
_ANSWER_FORMS = (
    (r"(?i)hvor (?:mange|mye) (.+)", "{answer} {rest[0]}."),
    (r"(?i)hva (heter|het|kalles) (.+)", "{parts[1]} {rest[0]} {plain}."),
    (r"(?i)(?:når|hvilken dato) (.+)", "{answer} {rest[0]}."),
    (r"(?i)(?:i )?hvilket år (.+)", "I {plain} {rest[0]}."),
    (
        r"(?i)(?:hvem|hva|hvor|hvor lenge|hvor ofte) (er|var|ble|blir|kommer|skal|har|hadde|fikk|"
        r"spiller|bor|ligger|jobbet|skjedde|vant) (.+)",
        "{answer} {rest[0]} {rest[1]}.",
    ),
)

_EN_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_NO_MONTHS = (
    "januar februar mars april mai juni juli august september oktober november desember".split()
)


def reworded(sentence: str, language: str, chance: random.Random) -> str:
    """Return the sentence in other words.

    One to three rules are applied, drawn at random but the same for the same seed; where none
    fits, and now and then besides, it is wrapped in a colleague's chatter.
    """
    rules = list(_RULES[language])
    chance.shuffle(rules)
    wanted = chance.choice((1, 2, 2, 3, 4))
    result, applied = sentence, 0
    for rule in rules:
        changed = rule(result, chance)
        if changed is not None and changed != result:
            result, applied = _tidy(changed), applied + 1
        if applied == wanted:
            break
    if chance.random() < 0.35:
        result = _filled(result, language, chance)
    if not applied or chance.random() < 0.3:
        return wrapped(result, language, chance)
    return result


def _filled(sentence: str, language: str, chance: random.Random) -> str:
    """Add what no page says, and what changes nothing: before, after, or both."""
    fillers = chance.sample(FILLERS[language], 2)
    if chance.random() < 0.4:
        sentence = f"{raised(fillers[0])}, {lowered(sentence)}"
    else:
        fillers.append(fillers[0])
    if len(fillers) > 2 or chance.random() < 0.3:
        sentence = f"{sentence.rstrip(' .!')}, {fillers[1]}."
    return sentence


def merged(first: str, second: str, language: str) -> str:
    """Return two sentences as one."""
    joint = "and" if language == "en" else "og"
    return f"{first.rstrip(' .')}, {joint} {lowered(second)}"


def wrapped(sentence: str, language: str, chance: random.Random) -> str:
    """Return the sentence as a chatty colleague would begin or end it."""
    wrapper = chance.choice(WRAPPERS[language])
    if wrapper.startswith("{}"):
        return wrapper.format(sentence.rstrip() if sentence.endswith(".") else sentence + ".")
    return wrapper.format(lowered(sentence))


def answered(question: str, answer: str, language: str) -> str | None:
    """Return a question and its short answer as one statement, None if the form is unknown.

    Norwegian keeps the verb in second place, so the answer takes the place of the question word.
    """
    if language != "no":
        return None
    rest = question.strip().rstrip("?").strip()
    answer = answer.strip().rstrip(".")
    for pattern, form in _ANSWER_FORMS:
        found = re.match(pattern, rest)
        if found:
            said = form.format(
                answer=raised(answer), plain=answer, parts=[raised(g) for g in found.groups()],
                rest=found.groups(),
            )  # fmt: skip
            # "How many people?", "12 people": the word would come twice.
            return re.sub(r"(?i)\b(\w+) \1\b", r"\1", said)
    return None


def _synonyms(language: str) -> Reword:
    pairs = [
        (old.strip(), new.strip())
        for entry in SYNONYMS[language].replace("\n", "").split(";")
        if entry.strip()
        for old, new in [entry.split("|")]
        if old.strip() != new.strip()
    ]

    def rule(sentence: str, chance: random.Random) -> str | None:
        fitting = [pair for pair in pairs if re.search(_whole(pair[0]), sentence)]
        if not fitting:
            return None
        for old, new in chance.sample(fitting, min(len(fitting), chance.choice((1, 2, 4, 8, 12)))):
            sentence = re.sub(_whole(old), new, sentence, count=1)
        return sentence

    return rule


def _whole(word: str) -> str:
    return rf"(?<![\w@.#/-]){re.escape(word)}(?![\w@'’/-])"


def _persons(language: str) -> Callable[[str], str | None]:
    swaps = [swap.split(">") for swap in PERSONS[language].split("|")]

    def rule(sentence: str) -> str | None:
        for old, new in swaps:
            changed = re.sub(
                rf"(?<![\w@.#/-]){re.escape(old)}(?![\w@'’/-])",
                lambda found, new=new: raised(new) if found.group()[0].isupper() else new,  # type: ignore[misc]
                sentence,
                flags=re.I,
            )
            if changed != sentence:
                return changed
        return None

    return rule


def _numbers(language: str) -> Reword:
    words = {
        value: word
        for word, value in reversed(NUMBER_WORDS.items())
        if word not in ARTICLES
        and word not in ("twice", "thrice", "dozen", "syv", "tyve", "hundre", "tusen", "hundred")
        and (list(NUMBER_WORDS).index(word) < 21 or word.endswith("ty")) == (language == "en")
    }

    def rule(sentence: str, chance: random.Random) -> str | None:
        def digits(found: re.Match[str]) -> str:
            value = int(found.group())
            return words.get(value, found.group())

        def spelled(found: re.Match[str]) -> str:
            value = NUMBER_WORDS.get(found.group().casefold())
            return found.group() if value is None or words.get(value) is None else str(value)

        changed = re.sub(r"(?<![\w.,:/$€£#-])\d{1,2}(?![\w.,:/%-])", digits, sentence)
        if changed != sentence:
            return changed
        inverse = "|".join(re.escape(word) for word in words.values())
        changed = re.sub(rf"(?i)\b(?:{inverse})\b", spelled, sentence)
        if changed != sentence:
            return changed
        changed = re.sub(
            r"\b(\d{1,3})([,. ])(\d{3})\b(?![.,]\d)",
            lambda found: found[1] + chance.choice(("", ",", " ")) + found[3],
            sentence,
        )
        return changed if changed != sentence else None

    return rule


def _dates(language: str) -> Reword:
    months = _EN_MONTHS if language == "en" else _NO_MONTHS
    name = "|".join(months)

    def rule(sentence: str, chance: random.Random) -> str | None:
        def rewrite(found: re.Match[str]) -> str:
            day = int(found["day"] or found["day2"])
            month = MONTHS[(found["month"] or found["month2"]).casefold()]
            year = found["year"] or ""
            iso = f"{year}-{month:02d}-{day:02d}" if year else None
            choices = [f"{months[month - 1]} {day}" + (f", {year}" if year else "")]
            if language == "en":
                choices.append(f"{day} {months[month - 1][:3]}" + (f" {year}" if year else ""))
            else:
                choices = [f"{day}.{month}.{year}"] if year else [f"den {day}. {months[month - 1]}"]
            return chance.choice([*choices, iso] if iso else choices)

        pattern = (
            rf"(?i)\b(?:(?P<month>{name})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?|"
            rf"(?P<day2>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?P<month2>{name}))(?:,?\s+(?P<year>\d{{4}}))?\b"
        )
        changed = re.sub(pattern, rewrite, sentence)
        return changed if changed != sentence else None

    return rule


def _tidy(text: str) -> str:
    text = re.sub(r"\s+([.,;:!?])", r"\1", re.sub(r"\s{2,}", " ", text)).strip()
    return text if text.endswith((".", "!", "?")) else text + "."


def _plain(rule: Callable[[str], str | None]) -> Reword:
    return lambda sentence, _chance: rule(sentence)


_RULES: dict[str, tuple[Reword, ...]] = {
    "en": (
        _synonyms("en"),
        _plain(_persons("en")),
        _numbers("en"),
        _dates("en"),
        *map(
            _plain,
            (
                clauses.parentheses,
                clauses.relative_clause,
                clauses.leading,
                clauses.second_clause,
                clauses.clause_order,
                clauses.fronted,
                clauses.active,
                clauses.value,
                clauses.contraction,
            ),
        ),
    ),
    "no": (
        _synonyms("no"),
        _synonyms("no"),
        _plain(_persons("no")),
        _numbers("no"),
        _dates("no"),
        *map(
            _plain,
            (
                clauses.parentheses,
                clauses.relative_clause,
                clauses.second_clause,
                clauses.norwegian_clause_order,
                clauses.norwegian_fronted,
                clauses.active,
                clauses.cleft,
                clauses.value,
            ),
        ),
    ),
}
