"""Numbers, dates, names and units of a statement: do they stand where its other words stand?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from knowledge.grounding.closed_words import UNIT_KINDS, UNITS
from knowledge.grounding.facts import Kind, Token, key_of
from knowledge.grounding.findings import Finding
from knowledge.grounding.reading import Reading

#: How much the words near a fact count, by their distance in words.
_NEARNESS = 4.0

#: From how much better another fact fits its place a fact is named as belonging to something else.
_CLEARLY = 0.15


def compare_facts(
    tokens: Sequence[Token],
    reading: Reading,
    window: tuple[int, ...],
    asked: Sequence[Token],
    findings: list[Finding],
) -> dict[str, float]:
    """Return the features of a statement's numbers, dates, names, codes and units.

    Args:
        tokens: The statement.
        reading: The passages.
        window: The sentences that support the statement best.
        asked: The question: what only it has is counted apart.
        findings: What is doubtful is added here.
    """
    facts = _Facts(tokens, reading, window, asked, findings)
    return {
        **facts.of_kind("number", "numbers"),
        **facts.of_kind("date", "dates"),
        **facts.of_kind("name", "names"),
        **facts.codes(),
        **facts.units(),
        "numbers of the question only": facts.only_in_question["number"],
        "names of the question only": facts.only_in_question["name"],
        **_unit_words(tokens, reading, window, findings),
    }


class _Facts:
    def __init__(
        self,
        tokens: Sequence[Token],
        reading: Reading,
        window: tuple[int, ...],
        asked: Sequence[Token],
        findings: list[Finding],
    ) -> None:
        self._tokens = tokens
        self._reading = reading
        self._window = window
        self._findings = findings
        self._said = frozenset(value for token in tokens for value in token.values)
        self._asked_values = frozenset(value for token in asked for value in token.values)
        self._asked_stems = frozenset(token.stem for token in asked)
        self._near = frozenset(
            value
            for place in window
            for token in reading.sentences[place].tokens
            for value in token.values
        )
        self.only_in_question = {"number": 0.0, "date": 0.0, "name": 0.0}

    def of_kind(self, kind: Kind, plural: str) -> dict[str, float]:
        """Where do the facts of a kind stand, and would another one fit their place better?"""
        here = [place for place, token in enumerate(self._tokens) if token.kind == kind]
        nowhere = not_near = 0
        worst, lowest = 0.0, 1.0
        for place in here:
            token = self._tokens[place]
            if token.values & self._reading.heading_values:
                continue
            is_known = not self._reading.values_in.keys().isdisjoint(token.values)
            if not is_known:
                if kind == "name" and token.stem in self._asked_stems:
                    self.only_in_question[kind] += 1
                    continue
                nowhere += 1
                self._findings.append(Finding(f"{kind} nowhere", token.text))
                self.only_in_question[kind] += bool(token.values & self._asked_values)
            is_near = bool(token.values & self._near)
            not_near += not is_near
            fit, rival = self._fit(place)
            lowest, worst = min(lowest, fit), max(worst, rival - fit)
            if is_known and not is_near:
                self._findings.append(Finding(f"{kind} not near", token.text))
            elif is_near and rival - fit > _CLEARLY:
                self._findings.append(Finding(f"{kind} of something else", token.text))
        figures = {
            plural: float(min(len(here), 5)),
            f"{plural} nowhere": float(min(nowhere, 3)),
            f"{plural} not near": float(min(not_near, 3)),
            f"{kind} rival": worst,
        }
        return figures | ({"number fit": lowest} if kind == "number" else {})

    def codes(self) -> dict[str, float]:
        """Count links, addresses, channels and paths that stand nowhere."""
        missing = [
            token.text
            for token in self._tokens
            if token.kind == "code"
            and self._reading.values_in.keys().isdisjoint(token.values)
            and self._reading.heading_values.isdisjoint(token.values)
        ]
        self._findings += [Finding("code nowhere", text) for text in missing]
        return {"codes nowhere": float(len(missing))}

    def units(self) -> dict[str, float]:
        """Count numbers that stand with another unit near by, and with this one nowhere."""
        changed = nowhere = 0
        for token in self._tokens:
            if token.kind != "number" or token.unit is None:
                continue
            spots = [s for value in token.values for s in self._reading.values_in.get(value, ())]
            units = {
                (sentence, self._reading.sentences[sentence].tokens[position].unit)
                for sentence, position in spots
            }
            near = {unit for sentence, unit in units if sentence in self._window and unit}
            anywhere = {unit for _, unit in units if unit}
            is_changed = bool(near) and token.unit not in near
            is_nowhere = bool(anywhere) and token.unit not in anywhere
            changed, nowhere = changed + is_changed, nowhere + is_nowhere
            if is_changed or is_nowhere:
                self._findings.append(Finding("unit", f"{token.text} {token.unit}"))
        return {"units changed": float(changed), "units nowhere": float(nowhere)}

    def _fit(self, place: int) -> tuple[float, float]:
        """How well the words around a fact fit where it stands, and where its best rival stands.

        Around it are the statement's other content words, nearer ones counting more. They fit a
        place in a passage if they stand near it there. A rival is a fact of the same kind in the
        window that the statement does not have. Both are shares, 0 to 1.
        """
        token = self._tokens[place]
        around = [
            (other, math.exp(-abs(place - at) / _NEARNESS))
            for at, other in enumerate(self._tokens)
            if at != place and (other.is_content or other.is_denial) and other.kind != token.kind
        ]
        total = sum(weight for _, weight in around)
        if not total:
            return 1.0, 0.0
        mine = [spot for value in token.values for spot in self._reading.values_in.get(value, ())]
        rivals = [
            (sentence, position)
            for sentence in self._window
            for position, other in enumerate(self._reading.sentences[sentence].tokens)
            if other.kind == token.kind and not other.values & self._said
        ]
        fit, rival = (
            max((self._fit_at(spot, around) for spot in spots), default=0.0) / total
            for spots in (mine, rivals)
        )
        return fit, rival

    def _fit_at(self, spot: tuple[int, int], around: Sequence[tuple[Token, float]]) -> float:
        sentence, position = spot
        places: dict[str, list[int]] = {}
        for place, token in enumerate(self._reading.sentences[sentence].tokens):
            places.setdefault(key_of(token), []).append(place)
        fit = 0.0
        for token, weight in around:
            key = key_of(token)
            if key in places:
                distance = min(abs(position - place) for place in places[key])
                fit += weight * (0.4 + 0.6 * math.exp(-max(distance - 1, 0) / _NEARNESS))
            elif self._reading.presence(token.stem)[sentence]:
                fit += 0.4 * weight
            elif self._reading.heading_presence(token.stem)[sentence]:
                fit += 0.3 * weight
        return fit


def _unit_words(
    tokens: Sequence[Token], reading: Reading, window: tuple[int, ...], findings: list[Finding]
) -> dict[str, float]:
    """Count units that are not near, and those in whose place another of their kind stands.

    Also where no number stands before them: "once a week".
    """
    near = {
        unit
        for place in window
        for token in (
            *reading.sentences[place].tokens,
            *reading.headings[reading.passage_of[place]],
        )
        if (unit := _unit_word(token))
    }
    mine = {unit: token.text for token in tokens if (unit := _unit_word(token))}
    missing = [unit for unit in mine if unit not in near]
    kinds_near = {UNIT_KINDS[unit] for unit in near - mine.keys()}
    swapped = [unit for unit in missing if UNIT_KINDS[unit] in kinds_near]
    findings += [Finding("unit", mine[unit]) for unit in swapped]
    return {"unit words not near": float(len(missing)), "unit words swapped": float(len(swapped))}


def _unit_word(token: Token) -> str | None:
    unit = UNITS.get(token.folded)
    is_letter = len(token.folded) == 1 and token.folded.isalpha()
    return unit if unit in UNIT_KINDS and not is_letter else None
