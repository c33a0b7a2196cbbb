"""Is a pair worth learning from? Faults in words, for an expert to judge; nothing is dropped.

Everything here is a pure function of the pair and of what others found out about it: the language
of its texts, and which sentences its passages do not support.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storage.pair_groups import content_words, question_key
from training.evaluation.voice import VoiceRules
from training.prompt import Voice, without_citations
from training.rude_words import rude_words

#: An answer of fewer words teaches the model to say next to nothing.
SHORTEST_ANSWER = 3

#: A question of fewer words could mean anything.
SHORTEST_QUESTION = 2

#: A question of more words is a story or a pasted document, in words.
LONGEST_QUESTION = 150

#: An answer that holds a question of this many words, word for word, has copied it.
_COPIED = 5

#: Words of a text in English or Norwegian for each token, with a usual tokenizer, on the safe side.
_WORDS_A_TOKEN = 0.75

_WORD = re.compile(r"\w+")

_NAMES = {"en": "English", "no": "Norwegian", "other": "another language"}


@dataclass(frozen=True)
class Examined:
    """What others found out about a pair.

    Attributes:
        question_language: `en`, `no` or `other`; None if the text is too short to tell.
        answer_language: The same of the answer.
        unsupported: The answer's sentences that its passages do not support; empty too if the
            pair has no passages.
    """

    question_language: str | None = None
    answer_language: str | None = None
    unsupported: tuple[str, ...] = ()


@dataclass(frozen=True)
class VoiceRule:
    """One written rule of the voice that the company's own answers keep."""

    kind: str  # always, never
    words: str
    rules: VoiceRules

    def fault(self, answer: str) -> str | None:
        """Return what is wrong with an answer by this rule, or None."""
        if self.rules.kept(answer):
            return None
        if self.kind == "never":
            return f'it writes "{self.words}"'
        choices = ", ".join(f'"{phrase.strip()}"' for phrase in self.words.split("|"))
        return f"it has none of {choices}" if "|" in self.words else f"it does not have {choices}"


def voice_rules(voice: Voice, references: Sequence[str]) -> tuple[VoiceRule, ...]:
    """Return the written rules of a voice by which answers can be checked.

    Args:
        voice: As it is written in the settings.
        references: Answers by the company. A rule that they seldom keep is advice, and left out.
    """
    known = [*references, *(example.answer for example in voice.examples)]
    found = [
        *(
            VoiceRule("always", each, VoiceRules(Voice(always=(each,)), known))
            for each in voice.always
        ),
        *(
            VoiceRule("never", each, VoiceRules(Voice(never=(each,)), known))
            for each in voice.never
        ),
    ]
    return tuple(rule for rule in found if rule.rules.count) if known else ()


def longest_answer(max_new_tokens: int) -> int:
    """Return how many words an answer may have that the model can say to its end."""
    return round(max_new_tokens * _WORDS_A_TOKEN)


def quality_faults(
    question: str,
    answer: str,
    examined: Examined,
    *,
    rules: Sequence[VoiceRule] = (),
    longest: int = 200,
) -> tuple[str, ...]:
    """Return what speaks against learning from a pair, each in a sentence; empty if nothing does.

    Args:
        question: The pair's input.
        answer: The pair's output.
        examined: What others found out about it.
        rules: The voice's rules, from `voice_rules`.
        longest: How many words an answer may have, from `longest_answer`.
    """
    bare = without_citations(answer)
    faults = [
        *_length_faults(question, bare, longest),
        *_copy_faults(question, bare),
        *_language_faults(examined),
    ]
    broken = [fault for rule in rules if (fault := rule.fault(bare))]
    if broken:
        faults.append(f"The answer is not in the company's voice: {'; '.join(broken)}.")
    if examined.unsupported:
        quoted = " ".join(f'"{_shortened(sentence)}"' for sentence in examined.unsupported)
        faults.append(f"The passages it rests on do not say this: {quoted}")
    return tuple(faults)


def rudeness(question: str, answer: str) -> tuple[str, ...]:
    """Return what in a pair no model should learn to say, in a sentence for each of its texts."""
    return tuple(
        f"The {name} is rude: {', '.join(rude)}."
        for name, text in (("question", question), ("answer", answer))
        if (rude := rude_words(text))
    )


def _length_faults(question: str, answer: str, longest: int) -> list[str]:
    faults = []
    asked, said = _count(question), _count(answer)
    if asked < SHORTEST_QUESTION:
        faults.append(f"The question is too short: {_words(asked)} could mean anything.")
    if asked > LONGEST_QUESTION:
        faults.append(
            f"The question is too long: {_words(asked)}; {LONGEST_QUESTION} are enough to ask."
        )
    if said < SHORTEST_ANSWER:
        faults.append(f"The answer is too short: {_words(said)} teach nothing about how to answer.")
    if said > longest:
        faults.append(
            f"The answer is too long: {_words(said)}, and the model can say about {longest}."
        )
    return faults


def _copy_faults(question: str, answer: str) -> list[str]:
    asked, said = question_key(question), question_key(answer)
    if len(asked.split()) >= _COPIED and f" {asked} " in f" {said} ":
        return ["The answer copies the question word for word."]
    if said and content_words(answer) <= content_words(question):
        return ["The answer says nothing that the question does not say."]
    return []


def _language_faults(examined: Examined) -> list[str]:
    asked, said = examined.question_language, examined.answer_language
    if said == "other":
        return ["The answer is in another language than English or Norwegian."]
    if asked is None or said is None or asked == said:
        return []
    return [f"The question is in {_NAMES[asked]} and the answer in {_NAMES[said]}."]


def _count(text: str) -> int:
    return len(_WORD.findall(text))


def _words(count: int) -> str:
    return "1 word" if count == 1 else f"{count} words"


def _shortened(sentence: str) -> str:
    plain = " ".join(sentence.split())
    return plain if len(plain) <= 160 else plain[:159].rstrip() + "…"
