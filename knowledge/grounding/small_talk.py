"""Sentences that claim nothing, and so need no support: greetings, offers of help, echoes.

A sentence that names a number, a date, a name that is not the company's own way of speaking, or
a link always claims something, however friendly it sounds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from knowledge.grounding.facts import Token, read_tokens
from knowledge.language import detect_language

#: A sentence without facts is small talk if all its content words are among these.
_FRIENDLY = frozenset(
    """
    hi hello hey hei heisann hallo morning dear welcome thanks thank thx please sorry sadly
    unfortunately happy glad luck good great nice fine fun enjoy congratulations congrats well done
    course sure absolutely certainly yes no yep nope okay ok cheers best wishes regards take care
    question questions asking ask asked shout help helps here happy know let tell wonder unsure
    doubt anything else further more hope hopes worry worries worried problem day weekend trip
    answer answers short quick simply yes look looks find found love
    ja nei jo nja velkommen takk tusen vennligst beklager dessverre gjerne selvsagt selvfølgelig
    klart absolutt bra fint flott kos gratulerer lykke hilsen ha god godt tur helg dag spør spørsmål
    spørsmålet rop si fra hjelp hjelpe hjelper lurer håper svar svaret kort greit trenger noe mer
    annet finn gøy bry bekymre ikke bare oss vite vet
    """.split()
)

#: Words that answer a question which wants a yes or a no, however friendly the rest is.
_VERDICTS = frozenset(
    """
    yes no yep nope not absolutely certainly sure course ok okay sadly unfortunately problem
    ja nei jo ikke absolutt selvsagt selvfølgelig klart greit dessverre gjerne
    """.split()
)

#: Somebody who says that they do not know judges nothing.
_UNKNOWING = re.compile(
    r"(?i)\b(?:do not|don['’]t|cannot|can['’]t) (?:know|find|tell|say)\b|\bvet (?:vi |jeg )?ikke\b"
    r"|\bnot sure\b|\bikke sikker\b"
)

#: The rest of an offer: one clause that rules on nothing.
_OFFERED = r"(?:(?!\b(?:is|can|may|must|will|kan|må|får|skal)\b)[^,;:–—]){0,40}"

#: Whole sayings, matched from beginning to end whatever is written between.
_SAYINGS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"we(?:['’]ve| have) got you(?:r back)?",
        rf"(?:just )?(?:shout|ask|write|say|call|ping us) if (?:you|there(?: is)?){_OFFERED}",
        r"(?:please )?(?:ask|check with|contact|message|ping) "
        r"(?:[#@][\w-]+|us|your manager|hr|people ops)"
        r"(?: if (?:you are |you're )?(?:unsure|in doubt|not sure)[^,;:–—]{0,20}"
        r"| (?:about|for) (?:more|details|anything else))?",
        rf"(?:bare )?(?:rop|spør|si fra|skriv) (?:om|hvis) {_OFFERED}",
        r"(?:spør|kontakt) (?:[#@][\w-]+|oss|lederen din)"
        r"(?: (?:om|hvis) du (?:er usikker|lurer)[^,;:–—]{0,20})?",
        r"(?:i |we )?hope (?:this|that|it) helps?[^,;:–—]{0,20}",
        r"(?:vi |jeg )?håper (?:det|dette) hjelper[^,;:–—]{0,20}",
        rf"let (?:me|us) know if (?:(?:anything|there)(?: else)?(?: is)? ?)?{_OFFERED}",
        r"god tur",
        r"ha en (?:fin|god) \w+",
        r"have a (?:nice|good|great) \w+",
        r"you(?:['’]re| are) welcome",
        r"(?:that['’]s|it['’]s|what) a (?:good|great|fair) question",
        r"here (?:is|are) (?:the|your|what we have|an?) (?:answer|short answer|details)",
        r"(?:the )?(?:short )?answer(?: is)?|kort svar|her er svaret",
        r"get well(?: soon)?(?: from all of us)?|god bedring(?: fra oss alle)?",
        r"(?:we|i) (?:know|understand|get) (?:it|that|how you feel|the feeling)",
        r"we feel your pain|we know it stings",
    )
)

_OPEN_QUESTION = re.compile(
    r"(?i)\b(?:what|how|when|where|who|whom|whose|which|why|hva|hvor|når|hvem|hvilken|hvilket|"
    r"hvilke|hvordan|hvorfor)\b"
)

_CITED = re.compile(r"\s*\[\d+\]")

_EDGES = " \t\n.,;:!?…–—-*_\"'“”«»()"


def claims_nothing(sentence: str, question: str = "", sayings: Collection[str] = ()) -> bool:
    """Whether a sentence says nothing that passages would have to support.

    Args:
        sentence: As the model wrote it.
        question: What was asked: to repeat it is no claim either, a denial put in is.
        sayings: The company's own phrases (from its voice): "God tur!". Letter case and marks
            at the ends make no difference.
    """
    bare = _CITED.sub("", sentence).strip(_EDGES)
    if not any(letter.isalnum() for letter in bare):
        return True
    folded = bare.casefold()
    if any(folded == saying.strip(_EDGES).casefold() for saying in sayings):
        return True
    tokens = read_tokens(bare, "no" if detect_language(sentence) == "no" else "en")
    if _has_fact(tokens):
        return False
    if any(saying.fullmatch(bare) for saying in _SAYINGS):
        return True
    content = [token.folded for token in tokens if token.is_content]
    if all(word in _FRIENDLY for word in content):
        is_verdict = _is_bare_judgement(content, tokens) or _rules(sentence, tokens, question)
        return len(tokens) <= 14 and not is_verdict
    return _repeats(sentence, tokens, question)


def _has_fact(tokens: Sequence[Token]) -> bool:
    return any(
        token.kind in ("number", "date", "name")
        or (token.kind == "code" and not token.text.startswith(("#", "@")))
        for token in tokens
    )


def _is_bare_judgement(content: Sequence[str], tokens: Sequence[Token]) -> bool:
    """ "Yes." and "No." answer a question: they claim as much as the question asks."""
    return bool(content or tokens) and all(
        token.folded in {"yes", "no", "ja", "nei", "jo", "yep", "nope", "absolutely", "certainly",
                         "absolutt", "sure", "not", "ikke"}
        for token in tokens
    )  # fmt: skip


def _rules(sentence: str, tokens: Sequence[Token], question: str) -> bool:
    """Whether a friendly sentence is the answer to a question that wants a yes or a no.

    "Yes, of course!" is warm after "How do I get a key?", and a claim after "May I have a key?".
    """
    if not question or _OPEN_QUESTION.search(question) or _UNKNOWING.search(sentence):
        return False
    return any(token.folded in _VERDICTS for token in tokens)


def _repeats(sentence: str, tokens: Sequence[Token], question: str) -> bool:
    """Whether a sentence only turns the question round.

    "You get days of leave" after "How many days of leave do I get?" says nothing; after "Do I get
    days of leave?" it is the answer.
    """
    if not question or not (_OPEN_QUESTION.search(question) or sentence.rstrip().endswith("?")):
        return False
    asked = read_tokens(question, "no" if detect_language(question) == "no" else "en")
    known = {token.folded for token in asked} | {token.stem for token in asked}
    content = [token for token in tokens if token.is_content]
    denials = sum(t.is_denial for t in tokens) - sum(t.is_denial for t in asked)
    is_affirmed = any(t.folded in ("yes", "ja", "jo", "no", "nei") for t in tokens[:2])
    return (
        bool(content)
        and denials == 0
        and not is_affirmed
        and all(token.folded in known or token.stem in known for token in content)
        and len(content) >= 2
    )
