"""Statements made from passages: true ones, copied and reworded, and the same made false."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from knowledge.grounding.corruption import CORRUPTIONS, Case
from knowledge.grounding.reading import Ground, sentences_of
from knowledge.grounding.rewording import answered, merged, reworded
from knowledge.grounding.small_talk import claims_nothing

#: The words of a sentence that statements are made from.
SENTENCE_WORDS = range(6, 36)

_MARKUP = re.compile(r"[|`#<>{}\[\]]|https?://|\*\*|^[-_*\d\s.:]+$")
#: Kinds of falsehood, the rarest first.
_SELDOM = ("unit", "date", "number", "name", "negation", "opposite")

_COUNTED = re.compile(
    r"(?i)[$€£]\d|\d[\d.,]* ?(?:%|(?:\w+ )?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|"
    r"usd|[kmgt]b|sekund|minutt|time|dag|uke|måned|år|kroner|prosent|meter|kilo|tonn|million|milliard))"
)


@dataclass(frozen=True)
class Example:
    """A question with its answer in the words of people; `place` is its passage's on the page."""

    question: str
    answer: str
    place: int


@dataclass(frozen=True)
class Paraphrase:
    """What a page says, said by a person in other words; and the same made false."""

    true: str
    false: str


@dataclass(frozen=True)
class SourcePage:
    """A page that statements are made from. All passages of a page stay on one side of a split.

    Attributes:
        name: What the split is drawn by.
        language: `en` or `no`.
        passages: In reading order.
        examples: Questions with short answers that stand in a passage (made into statements).
        answers: Questions with whole answers that rest on a passage (used as they are).
        paraphrases: Sentences of people, each with a false one.
    """

    name: str
    language: str
    passages: tuple[Ground, ...]
    examples: tuple[Example, ...] = ()
    answers: tuple[Example, ...] = ()
    paraphrases: tuple[Paraphrase, ...] = ()


@dataclass(frozen=True)
class Statement:
    """A sentence with the passages it is shown beside.

    Attributes:
        text: The sentence.
        grounds: The passages.
        is_true: Whether they support it.
        kind: `copy`, `rewording`, `answer`, `paraphrase`; or what was changed, `other passage`, or
            `contradiction` for the false one of a paraphrase.
        base: Of what a false one was made: `copy`, `rewording`, `answer` or `paraphrase`.
        page: The page's name.
        language: `en` or `no`.
        question: What was asked, if anything.
    """

    text: str
    grounds: tuple[Ground, ...]
    is_true: bool
    kind: str
    base: str
    page: str
    language: str
    question: str = ""


def is_reported(page: str) -> bool:
    """Whether a page lies in the half that is only reported on: a pure function of its name."""
    return hashlib.sha256(page.encode()).digest()[0] % 2 == 1


def make_statements(
    pages: Sequence[SourcePage], seed: int = 0, per_page: int = 4
) -> Iterator[Statement]:
    """Make statements from pages, the same for the same pages and seed.

    From each of `per_page` sentences of a page come a copy, a rewording or two, and up to three
    false ones, made from either; and for half of them one beside passages of other pages.

    Args:
        pages: Of one side of the split only, or passages would cross it.
        seed: Of everything that is drawn.
        per_page: How many sentences of a page are used.
    """
    by_language: dict[str, list[tuple[str, Ground]]] = {}
    for page in pages:
        by_language.setdefault(page.language, []).extend((page.name, g) for g in page.passages)
    for page in pages:
        chance = random.Random(f"{seed} {page.name}")  # noqa: S311
        making = _Making(page, by_language[page.language], chance)
        yield from making.from_sentences(per_page)
        yield from making.from_examples()
        yield from making.from_answers()
        yield from making.from_paraphrases()


class _Making:
    """Makes the statements of one page; `everything` holds all passages in its language."""

    def __init__(
        self, page: SourcePage, everything: Sequence[tuple[str, Ground]], chance: random.Random
    ) -> None:
        self._page = page
        self._everything = everything
        self._chance = chance

    def from_sentences(self, count: int) -> Iterator[Statement]:
        page, chance = self._page, self._chance
        found = [
            (place, sentence, following)
            for place, ground in enumerate(page.passages)
            for sentences in [[s for s in sentences_of(ground.text) if _is_plain(s)]]
            for sentence, following in zip_longest(sentences, sentences[1:])
        ]
        chance.shuffle(found)
        found.sort(key=lambda entry: _plainness(entry[1], chance))
        for place, sentence, following in found[:count]:
            copy = self._true(sentence, place, "copy")
            yield copy
            base = sentence
            if following and len((sentence + following).split()) < 36 and chance.random() < 0.2:
                base = merged(sentence, following, page.language)
            texts = [reworded(base, page.language, chance)]
            if chance.random() < 0.35:
                texts.append(reworded(base, page.language, chance))
            others = [replace(copy, text=t, kind="rewording", base="rewording") for t in texts]
            yield from others
            source = sentence if base is sentence else f"{sentence} {following}"
            yield from self._false((copy, others[0]), source, place)

    def from_examples(self) -> Iterator[Statement]:
        page = self._page
        for example in page.examples:
            text = answered(example.question, example.answer, page.language)
            if text is None:
                continue
            true = self._true(text, example.place, "rewording")
            yield true
            sentences = sentences_of(page.passages[example.place].text)
            source = next((s for s in sentences if example.answer in s), text)
            yield from self._false((true,), source, example.place, most=2)

    def from_answers(self) -> Iterator[Statement]:
        for example in self._page.answers:
            for text in sentences_of(example.answer):
                if claims_nothing(text, example.question):
                    continue
                true = self._true(text, example.place, "answer", example.question)
                yield true
                source = self._page.passages[example.place].text
                yield from self._false((true,), source, example.place)

    def from_paraphrases(self) -> Iterator[Statement]:
        page, chance = self._page, self._chance
        for paraphrase in page.paraphrases:
            for _ in range(2):  # beside two choices of passages
                grounds = [*page.passages[:5], chance.choice(self._everything)[1]]
                chance.shuffle(grounds)
                kind = "paraphrase"
                true = Statement(paraphrase.true, tuple(grounds), True, kind, kind, page.name,
                                 page.language)  # fmt: skip
                yield true
                yield replace(true, text=paraphrase.false, is_true=False, kind="contradiction")
            source = " ".join(ground.text for ground in page.passages)
            yield from self._false((true,), source, 0)

    def _true(self, text: str, place: int, kind: str, question: str = "") -> Statement:
        """A true statement beside its passage and two others, one of them of the same page."""
        page, chance = self._page, self._chance
        others = [chance.choice(self._everything)[1] for _ in range(2)]
        if len(page.passages) > 1 and chance.random() < 0.7:
            others[0] = page.passages[place + 1 if place + 1 < len(page.passages) else place - 1]
        grounds = [page.passages[place], *others]
        chance.shuffle(grounds)
        return Statement(text, tuple(grounds), True, kind, kind, page.name, page.language, question)

    def _false(
        self, bases: Sequence[Statement], source: str, place: int, most: int = 3
    ) -> Iterator[Statement]:
        chance = self._chance
        kinds = list(CORRUPTIONS)
        chance.shuffle(kinds)
        # Kinds that seldom fit are tried first, so that each is there often enough.
        kinds.sort(key=lambda kind: _SELDOM.index(kind) if chance.random() < 0.8 else 0)
        same = "\n".join(ground.text for ground in bases[0].grounds)
        other = "\n".join(chance.choice(self._everything)[1].text for _ in range(8))
        made = 0
        for kind in kinds:
            base = chance.choice(bases)
            case = Case(base.text, base.language, chance, same, other, source)
            text = CORRUPTIONS[kind](case)
            if text is None or text == base.text:
                continue
            yield replace(base, text=text, is_true=False, kind=kind, base=base.kind)
            made += 1
            if made == most:
                break
        if chance.random() < 0.5:
            base = chance.choice(bases)
            strangers = self._strangers(place, base.text, own_page=base.kind != "paraphrase")
            if strangers:
                yield replace(
                    base, grounds=strangers, is_true=False, kind="other passage", base=base.kind
                )

    def _strangers(self, place: int, text: str, *, own_page: bool) -> tuple[Ground, ...]:
        """Passages of which none is the right one: half the time the likest of sixty others."""
        page, chance = self._page, self._chance
        own = page.passages[place]
        candidates = [
            ground
            for name, ground in (chance.choice(self._everything) for _ in range(60))
            if name != page.name
        ]
        if own_page and chance.random() < 0.3:
            candidates += [g for at, g in enumerate(page.passages) if abs(at - place) > 1]
        candidates = [g for g in candidates if g.text != own.text and not _repeats(text, g.text)]
        if chance.random() < 0.5:
            words = set(re.findall(r"\w{4,}", text.casefold()))
            candidates.sort(
                key=lambda g: -len(words & set(re.findall(r"\w{4,}", g.text.casefold())))
            )
        return tuple(candidates[:3])


def _plainness(sentence: str, chance: random.Random) -> int:
    """Sentences with a unit come first, then those with a number: they are the rarest."""
    if chance.random() < 0.3:
        return 0
    if _COUNTED.search(sentence):
        return 0
    return 1 if re.search(r"\d", sentence) else 2


def _repeats(sentence: str, text: str) -> bool:
    """Whether a passage of another page says nearly the same, word for word."""
    words = re.findall(r"\w+", sentence.casefold())
    runs = {" ".join(words[at : at + 4]) for at in range(len(words) - 3)}
    folded = " ".join(re.findall(r"\w+", text.casefold()))
    return bool(runs) and sum(run in folded for run in runs) >= 0.5 * len(runs)


def _is_plain(sentence: str) -> bool:
    return (
        len(sentence.split()) in SENTENCE_WORDS
        and not _MARKUP.search(sentence)
        and not sentence.endswith(("?", ":"))
        and sentence[0].isalpha()
        and sentence[0].isupper()
    )
