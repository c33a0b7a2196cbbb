"""Whether two answers to one question cannot both be right: another number, date, name, or a no.

What only one of them says is no contradiction: an answer may be longer. Both must say something
else in the same place: another number of the same unit, another month, another person, or one
denies what the other says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise, takewhile

from knowledge.grounding.closed_words import NUMBER_WORDS, OPPOSITES, UNITS
from knowledge.grounding.facts import Token, read_tokens
from knowledge.language import detect_language
from knowledge.office_words import ORDINALS

#: Units that are so many of another.
_CONVERTED = {"week": ("day", 7), "year": ("month", 12), "hour": ("minute", 60)}

_TIMES = frozenset(("minute", "hour", "day", "week", "month", "year"))

#: Where the place of a number ends.
_AND = frozenset(("and", "but", "og", "men"))

_COMPOUND = re.compile(
    r"\b(twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[- ]"
    r"(one|two|three|four|five|six|seven|eight|nine)\b",
    re.IGNORECASE,
)

#: How far a number's place reaches, in content words.
_AROUND = 2

_YES = re.compile(r"^\W*(?:hei\W+)?(?:yes|sure|ja|of course|selvsagt)\b", re.IGNORECASE)
_NO = re.compile(r"^\W*(?:hei\W+)?(?:no|nei)\b(?! \d)", re.IGNORECASE)

#: Opposites that a rewording may exchange: what must be done is done by all.
_LOOSE = frozenset(
    """
    must should shall required may can kan må skal required all every each everyone alle hver some
    few any noen most mest minst least before after før etter innen within over more under less
    mer with med with long up yearly annually annual monthly daily weekly årlig månedlig daglig
    ukentlig start starts begin end ends last first åpen åpent open opens stenger stengt closed
    closes close lunch
    """.split()
)

#: Words that make a thing free to do or not.
_FREE_TO = re.compile(
    r"\b(?:optional|voluntary|frivillig|valgfritt|need not|do(?:es)? not (?:have|need) to"
    r"|don't (?:have|need) to|trenger ikke|slipper)\b",
    re.IGNORECASE,
)


def disagreement(question: str, older: str, newer: str) -> str | None:
    """Say on what two answers to the same question disagree, in words; None if on nothing.

    Args:
        question: What was asked; its names are no answer.
        older: The answer that is approved.
        newer: The answer that is proposed.
    """
    language = "no" if detect_language(f"{question} {newer}") == "no" else "en"
    before, after = (read_tokens(_joined(text), language) for text in (older, newer))
    asked = read_tokens(question, language)
    return (
        _numbers_disagree(before, after)
        or _units_disagree(before, after)
        or _ordinals_disagree(before, after)
        or _swapped(before, after)
        or _dates_disagree(before, after, "m", "month")
        or _dates_disagree(before, after, "w", "weekday")
        or _names_disagree(before, after, asked)
        or _denial(older, newer, before, after)
    )


def _numbers_disagree(before: Sequence[Token], after: Sequence[Token]) -> str | None:
    for kind in sorted({_measure(token) for token in after if token.kind == "number"}):
        mine = [t for t in before if t.kind == "number" and _measure(t) == kind]
        theirs = [t for t in after if t.kind == "number" and _measure(t) == kind]
        everything = _values(t for t in before if t.kind == "number")
        here = _values(t for t in after if t.kind == "number")
        gone = [t for t in mine if here.isdisjoint(_amounts(t))]
        new = [t for t in theirs if everything.isdisjoint(_amounts(t))]
        if gone and new:
            return f"{gone[0].text} or {new[0].text}"
    return None


def _joined(text: str) -> str:
    """Write "forty-nine" as a number; what reads numbers knows only its parts."""
    return _COMPOUND.sub(
        lambda m: str(NUMBER_WORDS[m.group(1).lower()] + NUMBER_WORDS[m.group(2).lower()]), text
    )


def _units_disagree(before: Sequence[Token], after: Sequence[Token]) -> str | None:
    """Whether the same number counts something else: six months, six weeks."""
    mine, theirs = _counted(before), _counted(after)
    for token in theirs:
        same = [t for t in mine if t.values & token.values]
        rivals = [t for t in same if t.unit != token.unit and {t.unit, token.unit} <= _TIMES]
        if same and len(rivals) == len(same):
            return f"{rivals[0].text} {rivals[0].unit}s or {token.text} {token.unit}s"
    return None


def _counted(tokens: Sequence[Token]) -> list[Token]:
    """The numbers with their unit right behind them."""
    return [
        token
        for token, behind in pairwise(tokens)
        if token.kind == "number" and token.unit and UNITS.get(behind.folded) == token.unit
    ]


def _ordinals_disagree(before: Sequence[Token], after: Sequence[Token]) -> str | None:
    mine, theirs = _ordinals(before), _ordinals(after)
    gone, new = mine.keys() - theirs.keys(), theirs.keys() - mine.keys()
    return f"{mine[min(gone)]} or {theirs[min(new)]}" if gone and new else None


def _ordinals(tokens: Sequence[Token]) -> dict[int, str]:
    known = ORDINALS | {"first": 1, "1st": 1, "første": 1}
    return {known[t.folded]: t.folded for t in tokens if t.folded in known}


def _measure(token: Token) -> str:
    if any(value.startswith("t") for value in token.values) and not token.unit:
        return "clock"
    unit = token.unit or ""
    return _CONVERTED.get(unit, (unit, 1))[0]


def _amounts(token: Token) -> frozenset[str]:
    """A number's values, also in the smaller unit: two weeks are fourteen days."""
    times = _CONVERTED.get(token.unit or "", ("", 1))[1]
    more = set(token.values)
    for value in token.values:
        if times > 1 and value[:1] == "n" and value[1:].isdigit():
            more.add(f"n{int(value[1:]) * times}")
    return frozenset(more)


def _values(tokens: Iterable[Token]) -> frozenset[str]:
    return frozenset(value for token in tokens for value in _amounts(token))


def _swapped(before: Sequence[Token], after: Sequence[Token]) -> str | None:
    """Whether two numbers changed places: each stands where the other stood."""
    mine = {min(t.values): _beside(before, n) for n, t in enumerate(before) if t.kind == "number"}
    theirs = {min(t.values): _beside(after, n) for n, t in enumerate(after) if t.kind == "number"}
    shared = sorted(mine.keys() & theirs.keys())
    for place, one in enumerate(shared):
        for other in shared[place + 1 :]:
            stays = len(mine[one] & theirs[one]) + len(mine[other] & theirs[other])
            moves = len(mine[one] & theirs[other]) + len(mine[other] & theirs[one])
            if moves > stays and mine[one] & theirs[other] and mine[other] & theirs[one]:
                return f"where {one[1:]} and where {other[1:]} holds"
    return None


def _beside(tokens: Sequence[Token], place: int) -> frozenset[str]:
    """The content words next to a number, in its clause."""
    words: set[str] = set()
    for side in (tokens[:place][::-1], tokens[place + 1 :]):
        near = takewhile(lambda t: t.clause == tokens[place].clause and t.folded not in _AND, side)
        about = [t.stem for t in near if t.is_content and t.kind in ("word", "name", "date")]
        words.update(about[:_AROUND])
    return frozenset(words)


def _dates_disagree(
    before: Sequence[Token], after: Sequence[Token], kind: str, name: str
) -> str | None:
    mine, theirs = _dates(before, kind), _dates(after, kind)
    gone, new = mine.keys() - theirs.keys(), theirs.keys() - mine.keys()
    if gone and new:
        return f"the {name}: {mine[min(gone)]} or {theirs[min(new)]}"
    return None


def _dates(tokens: Sequence[Token], kind: str) -> dict[str, str]:
    return {v: t.text for t in tokens if t.kind == "date" for v in t.values if v[:1] == kind}


def _names_disagree(
    before: Sequence[Token], after: Sequence[Token], asked: Sequence[Token]
) -> str | None:
    known = {token.stem for token in asked}
    mine, theirs = _names(before, known), _names(after, known)
    here, there = _spellings(before), _spellings(after)
    gone = [name for name in mine if not _stands(name, there)]
    new = [name for name in theirs if not _stands(name, here)]
    if gone and new:
        return f"{gone[0].text} or {new[0].text}"
    return None


def _names(tokens: Sequence[Token], known: set[str]) -> list[Token]:
    return [
        token
        for token in tokens
        if (token.kind in ("name", "code") or (token.text.isupper() and len(token.text) > 1))
        and token.stem not in known
    ]


def _spellings(tokens: Sequence[Token]) -> frozenset[str]:
    return frozenset(s for token in tokens for s in (token.stem, token.folded))


def _stands(name: Token, there: frozenset[str]) -> bool:
    return name.stem in there or name.folded in there or name.folded.removesuffix("s") in there


def _denial(older: str, newer: str, before: Sequence[Token], after: Sequence[Token]) -> str | None:
    if (_YES.match(older) and _NO.match(newer)) or (_NO.match(older) and _YES.match(newer)):
        return "yes or no"
    if bool(_FREE_TO.search(older)) != bool(_FREE_TO.search(newer)):
        return "whether one must"
    added, removed = _denied_only(after, before), _denied_only(before, after)
    if added or removed:
        return f"whether {' '.join(sorted(added or removed))} is denied"
    opposite = _opposite(before, after)
    return None if opposite is None else f"{opposite[0]} or {opposite[1]}"


def _denied_only(tokens: Sequence[Token], others: Sequence[Token]) -> frozenset[str]:
    """What is denied here and said there without a denial near it."""
    theirs = [_scope(others, n) for n, t in enumerate(others) if t.is_denial]
    said = {token.stem for token in others if token.is_content}
    for place, token in enumerate(tokens):
        if not token.is_denial:
            continue
        scope = _scope(tokens, place)
        if scope & said and not any(scope & other for other in theirs):
            return scope & said
    return frozenset()


def _scope(tokens: Sequence[Token], place: int) -> frozenset[str]:
    """The content words that a denial is about: those beside it, in its clause."""
    clause = tokens[place].clause
    after, before = (
        [token.stem for token in side if token.is_content and token.clause == clause]
        for side in (tokens[place + 1 :], tokens[:place])
    )
    return frozenset(after[:4] + before[-2:])


def _opposite(before: Sequence[Token], after: Sequence[Token]) -> tuple[str, str] | None:
    mine, theirs = {t.folded for t in before}, {t.folded for t in after}
    for word in sorted(mine - theirs - _LOOSE):
        against = OPPOSITES.get(word, frozenset()) & theirs - mine - _LOOSE
        if against:
            return word, min(against)
    return None
