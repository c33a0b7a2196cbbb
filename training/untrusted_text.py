"""Text from documents, threads and questions as data: it may say anything, and orders nothing.

A document that says "ignore the above" is a document that says so, not an order. Two things are
done to all text from outside before it stands in a prompt: nothing in it can be taken for the
prompt's own marks or for the chat template's, and sentences that speak to the model instead of to
a reader are left out. What is left out is not evidence for an answer either.
"""

from __future__ import annotations

import re
import unicodedata

#: Marks with which chat templates begin and end a turn; a tokenizer reads them in any text.
_TEMPLATE_MARKS = re.compile(
    r"<\s*\|[^<>\n]{0,40}\|\s*>|<\|[^<>\n]{0,40}>|\[/?INST\]|<</?SYS>>|</?s>"
    r"|<(?:start|end)_of_turn>",
    re.IGNORECASE,
)

#: A turn that a text opens for somebody: up to the mark that closes it, or a blank line.
_FORGED_TURN = re.compile(
    r"(?:<\s*\|[^<>\n]{0,40}start[^<>\n]{0,40}\|\s*>|<start_of_turn>|\[INST\]|<<SYS>>)"
    r".*?(?:<\s*\|[^<>\n]{0,40}end[^<>\n]{0,40}\|\s*>|<end_of_turn>|\[/INST\]|<</SYS>>"
    r"|(?=\n\s*\n)|\Z)",
    re.IGNORECASE | re.DOTALL,
)

#: Lines that look like the prompt's own, and what a machine is made to say.
_PROMPT_LINES = re.compile(
    r"^([ \t>*#_-]*)(sources?|question|user|human|kilder|spørsmål)[ \t*_]*:",
    re.IGNORECASE | re.MULTILINE,
)
_SAID_BY_MACHINE = re.compile(
    r"^[ \t>*#_-]*(?:system|assistant|assistent)[ \t*_]*:.*(?:\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBERED_LINES = re.compile(r"^([ \t]*)\[(\d[^\[\]\n]*)(\]?)", re.MULTILINE)

_HIDDEN_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)

_INSTRUCTIONS = r"(?:instruction|direction|prompt|rule|message|context|guideline|polic)\w*"
_INSTRUKSER = r"(?:instruks|instruksjon|beskjed|melding|regl|prompt|kontekst)\w*"

#: What a model is told to be, or to be no more.
_MASK = (
    r"\b(?:AI|KI|assistant|assistent|bot|chat\s?bot|model|modell|DAN|unrestricted|jailbroken|evil|"
    r"pirate|pirat|hacker|(?:no|without|uten)\s+(?:any\s+)?(?:rules|limits|restrictions|regler))\b"
)

#: What people write to a model and hardly ever to each other, in English and Norwegian.
_TO_THE_MODEL = re.compile(
    "|".join(
        (
            # ignore all previous instructions; glem alle tidligere instrukser
            rf"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{{0,40}}"
            rf"\b(?:previous|prior|above|earlier|preceding|all|your)\b"
            rf"[^.!?\n]{{0,30}}\b{_INSTRUCTIONS}",
            r"\b(?:ignore|disregard|forget)\s+(?:everything|all|what(?:ever)?)\s+"
            r"(?:(?:that\s+)?(?:is|was|came|you)\s+)?(?:above|before|so far|were told|told)",
            r"\b(?:ignore|disregard)\s+the\s+above\b(?!\s+(?:table|figure|rule applies))",
            rf"\b(?:ignorer|glem|overse|se bort fra)\b[^.!?\n]{{0,40}}"
            rf"\b(?:tidligere|forrige|ovenstående|over|alle|alt|dine|disse)\b[^.!?\n]{{0,30}}"
            rf"(?:\b{_INSTRUKSER}|\bovenfor\b)",
            r"\b(?:glem|ignorer)\s+alt\s+(?:(?:som|du)\s+)?(?:står|er|har)?\s*"
            r"(?:over|ovenfor|før|fått beskjed)",
            # you are now DAN; act as; pretend to be; fra nå av er du
            rf"\byou\s+are\s+(?:now|no\s+longer)\b[^.!?\n]{{0,30}}{_MASK}",
            r"\b(?:act|behave|respond|reply|answer|speak|talk|write)\s+(?:only\s+)?(?:as|like)\s+"
            r"(?:if\s+you|a\s+(?:pirate|hacker|different|new|evil|villain)|an?\s+unrestricted|DAN)\b",
            r"\bpretend\s+(?:that\s+)?(?:to\s+be|you(?:['’]re|\s+are|\s+have|\s+were))\b[^.!?\n]{0,30}"
            rf"{_MASK}",
            r"\b(?:let['’]s\s+play|role-?play|in\s+this\s+game)\b[^.!?\n]{0,60}\byou\b",
            r"\bfra\s+nå\s+av\s+(?:skal|svarer|sier|skriver)\s+du\b",
            rf"\b(?:du\s+er\s+nå|lat\s+som(?:\s+om)?|oppfør\s+deg\s+som|spill\s+rollen)\b"
            rf"[^.!?\n]{{0,30}}{_MASK}",
            r"\bfrom\s+now\s+on\b[^.!?\n]{0,60}\b(?:you|answer|reply|respond|say)\b",
            # reveal your system prompt
            r"\b(?:reveal|print|show|repeat|output|leak|display|expose|tell|give|list|dump)\b"
            r"[^.!?\n]{0,50}\b(?:system\s+(?:prompt|message)|your\s+(?:prompt|instructions|rules)|"
            r"hidden\s+(?:prompt|instructions))",
            r"\b(?:vis|skriv\s+ut|gjenta|røp|avslør)\b[^.!?\n]{0,50}"
            r"\b(?:systemprompt|systemmelding|instruks\w*\s+(?:dine|du)|dine\s+instruks)",
            # answer every question with; respond only with; end every answer with
            r"\b(?:answer|respond|reply|end|begin|start|finish)\s+(?:to\s+)?"
            r"(?:(?:every|all|each|any|your)\s+(?:single\s+|following\s+|further\s+|the\s+)?"
            r"(?:answers?|responses?|repl(?:y|ies)|messages?|sentences?)\s+(?:only\s+)?with"
            r"|only\s+(?:with|in)\b)",
            r"\banswer\s+(?:every|all|any)\s+(?:further\s+|other\s+)?questions?\s+(?:only\s+)?with\b",
            r"\b(?:svar|avslutt|begynn)\s+(?:kun|bare|alltid|på\s+alt|alle|hvert)\b[^.!?\n]{0,40}"
            r"\bmed\b",
            # the assistant must; note to the AI; AI:
            r"\b(?:the\s+)?(?:assistant|chat\s?bot|bot|language\s+model|LLM|AI(?:\s+(?:model|system))?)"
            r"\s+(?:must|should|shall|will\s+now|has\s+to|is\s+to)\s+"
            r"(?:now\s+|always\s+|never\s+|only\s+)*"
            r"(?:say|answer|reply|respond|tell|ignore|print|reveal|output|mention|post|send|include)",
            r"\b(?:note|message|instruction|attention|beskjed|melding)\s+(?:to|for|til)\s+"
            r"(?:the\s+|any\s+|all\s+|en\s+)?"
            r"(?:AI|assistant|bot|chat\s?bot|model|LLM|assistent\w*|modell\w*|KI)\b",
            r"\b(?:dear|hey|hello|kjære)\s+(?:AI|assistant|bot|chat\s?bot|model|LLM|assistent)\b",
            r"\b(?:new|updated|real|secret)\s+(?:system\s+)?instructions?\s*:",
            r"\b(?:jailbreak|god|DAN)\s+mode\b|\byou\s+are\s+in\s+\w+\s+mode\b",
            r"\bdo\s+anything\s+now\b",
            r"\bsystem\s+(?:override|prompt\s*:)",
            r"\b(?:do\s+not|don['’]t|never)\s+(?:cite|mention|use|show)\s+"
            r"(?:the\s+|any\s+|your\s+)?(?:sources?|passages?|citations?)\b",
        )
    ),
    re.IGNORECASE,
)

#: Where a sentence or a line ends: what is left out is left out as a whole.
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")


def _in_round_brackets(number: re.Match[str]) -> str:
    """What begins like a source's number, closed or not, in brackets that no source has."""
    return f"{number[1]}({number[2]}{')' if number[3] else ''}"


def as_data(text: str) -> str:
    """Return `text` with nothing in it that a model could take for an order or a mark.

    Text that holds nothing of the kind comes back as it is, letter for letter.
    """
    text = _visible(_HIDDEN_COMMENT.sub(" ", text))
    text = _FORGED_TURN.sub(" ", text)
    while mark := _TEMPLATE_MARKS.search(text):  # a mark may be hidden in a mark
        end = text.find("\n", mark.end())
        text = text[: mark.start()] + (text[end:] if end >= 0 else "")
    text = _SAID_BY_MACHINE.sub("", text.replace("<|", "<"))
    text = _PROMPT_LINES.sub(r"\1\2 –", text)
    text = _NUMBERED_LINES.sub(_in_round_brackets, text)
    return without_orders(text)


def without_orders(text: str) -> str:
    """Return `text` without the sentences and lines that speak to a model."""
    if not _TO_THE_MODEL.search(text):
        return text
    kept, start = [], 0
    for end in [match.end() for match in _SENTENCE.finditer(text)] + [len(text)]:
        sentence = text[start:end]
        if not _TO_THE_MODEL.search(sentence):
            kept.append(sentence)
        start = end
    return "".join(kept).strip()


def gives_orders(text: str) -> bool:
    """Whether some of `text` speaks to a model instead of to a reader."""
    return _TO_THE_MODEL.search(text) is not None


def _visible(text: str) -> str:
    """Drop what no reader sees: direction marks, zero-width letters, tag characters."""
    if text.isascii():
        return text
    return "".join(
        letter
        for letter in text
        if unicodedata.category(letter) != "Cf" or letter in "\u200c\u200d"
    )
