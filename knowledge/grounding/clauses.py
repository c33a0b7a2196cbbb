"""Saying the same with the parts of a sentence in other places, or some left out."""

from __future__ import annotations

import re

_LEADING = re.compile(
    r"^(?:Additionally|In addition|However|Also|Finally|Therefore|Furthermore|Moreover|Generally|"
    r"As a result|For example|Please note that|Note that|Note|In general|Currently|Typically),?\s+",
)

_PRONOUNS = frozenset(
    "I It We You They He She This That The There These Those In On At For But And If When What How "
    "Jeg Det Vi Du De Han Hun Den Dette Der Men Og Hvis Når I På Hva Hvordan Etter Som".split()
)


def lowered(text: str) -> str:
    """Return a sentence as it stands within another: without its capital, unless that is a name."""
    first = text.split(" ", 1)[0]
    is_plain = first in _PRONOUNS - {"I"} or re.fullmatch(
        r"(?:A|An|All|Each|Every|Your|Our|No|Alle|En|Et)", first
    )
    return text[0].lower() + text[1:] if is_plain else text


def raised(text: str) -> str:
    """Return a text with a capital first."""
    return text[:1].upper() + text[1:]


def parentheses(sentence: str) -> str | None:
    """Leave out what stands in brackets."""
    changed = re.sub(r"\s*\([^()]{3,80}\)", "", sentence)
    return changed if changed != sentence and len(changed.split()) > 4 else None


def relative_clause(sentence: str) -> str | None:
    """Leave out a clause that only adds something."""
    changed = re.sub(r",\s+(?:which|who|som)\s[^,.;]{8,80}(?:,|(?=\.))", "", sentence, count=1)
    return changed if changed != sentence and len(changed.split()) > 4 else None


def leading(sentence: str) -> str | None:
    """Leave out "In addition," and its like."""
    changed = _LEADING.sub("", sentence)
    return raised(changed) if changed != sentence else None


def second_clause(sentence: str) -> str | None:
    """Leave out the second of two main clauses."""
    subjects = "we|you|they|it|the|this|vi|du|de|det|den"
    found = re.match(rf"(.{{25,}}?),? (?:and|og) (?:{subjects}) .{{15,}}$", sentence)
    if not found or re.match(r"(?i)(if|when|hvis|når|dersom|unless)\b", sentence):
        return None
    return found[1].rstrip(" .,") + "."


def clause_order(sentence: str) -> str | None:
    """Put a clause of time or condition first, or last."""
    first = re.match(r"(?i)^(if|when|before|after|once|since|because|unless|until) ([^,]{6,120}), "
                     r"(?:then )?(.{8,}?)([.!])?$", sentence)  # fmt: skip
    if first:
        return f"{raised(first[3])} {first[1].lower()} {first[2]}."
    last = re.match(r"^([A-Z][^,;:]{10,140}?),? (if|when|before|after|because|unless|until) "
                    r"([^,;:.]{8,120})\.?$", sentence)  # fmt: skip
    if last:
        return f"{raised(last[2])} {last[3]}, {lowered(last[1])}."
    return None


def norwegian_clause_order(sentence: str) -> str | None:
    """Put a clause of time or condition first, or last, the verb in second place."""
    first = re.match(r"^(Hvis|Når|Dersom|Om|Etter at|Før|Fordi) ([^,]{6,120}), (?:så )?(\w+) "
                     r"(jeg|du|vi|han|hun|de|det|den|man) (.{4,}?)\.?$", sentence)  # fmt: skip
    if first:
        return f"{raised(first[4])} {first[3]} {first[5]} {first[1].lower()} {first[2]}."
    last = re.match(r"^(Jeg|Du|Vi|Han|Hun|De|Det|Den|Man) (\w+) ([^,;:]{6,140}?),? "
                    r"(hvis|når|dersom|før|fordi) ([^,;:.]{8,120})\.?$", sentence)  # fmt: skip
    if last:
        return f"{raised(last[4])} {last[5]}, {last[2]} {last[1].lower()} {last[3]}."
    return None


def fronted(sentence: str) -> str | None:
    """Move what stands in front behind the rest: "In May, the office moves." """
    found = re.match(r"^((?:In|On|At|For|During|By|From|Since|Until) [^,]{3,50}), (.{12,}?)\.?$",
                     sentence)  # fmt: skip
    if found:
        return f"{raised(found[2])} {lowered(found[1])}."
    return None


def norwegian_fronted(sentence: str) -> str | None:
    """Move a time or place to the front, or back."""
    found = re.match(r"^((?:I|På|Fra|Under|Etter|Siden|Mellom) (?:\S+ ){0,3}\S+) (ble|var|er|har|"
                     r"hadde|fikk|kom|kan|skal|må|vil) (han|hun|de|det|den|vi|du|[A-ZÆØÅ]\w+) "
                     r"(.{6,}?)\.?$", sentence)  # fmt: skip
    if found:
        return f"{raised(found[3])} {found[2]} {found[4]} {lowered(found[1])}."
    found = re.match(r"^(Han|Hun|De|Det|Den|[A-ZÆØÅ]\w+(?: [A-ZÆØÅ]\w+)?) (ble|var|er|har|hadde|"
                     r"fikk|kom|kan|skal|må|vil) (.{10,}) "
                     r"((?:i|på|fra|siden|etter) (?:\S+ )?\S+?)\.?$",
                     sentence)  # fmt: skip
    if found:
        subject = found[1] if " " in found[1] or found[1] not in _PRONOUNS else found[1].lower()
        return f"{raised(found[4])} {found[2]} {subject} {found[3]}."
    return None


def active(sentence: str) -> str | None:
    """Say who did it first."""
    found = re.match(r"^(.{4,60}?) (was|were) (\w+ed) by ([^,.;]{3,50})\.?$", sentence)
    if found:
        return f"{raised(found[4])} {found[3]} {lowered(found[1])}."
    found = re.match(r"^(.{4,60}?) (must|should|can|will|may) be (\w+ed) by ([^,.;]{3,50})\.?$",
                     sentence)  # fmt: skip
    if found:
        return f"{raised(found[4])} {found[2]} have {lowered(found[1])} {found[3]}."
    found = re.match(r"^(.{4,60}?) ble (\w+(?:et|t|dd)) av ([^,.;]{3,50})\.?$", sentence)
    if found:
        return f"Det var {found[3]} som {found[2]} {lowered(found[1])}."
    return None


def cleft(sentence: str) -> str | None:
    """Put the subject forward: 'It is X that'."""
    found = re.match(
        r"^((?:[A-ZÆØÅ][\wæøå-]+ ){1,3})(er|var|ble|har|is|was|has) ([^,;:]{8,})$", sentence
    )
    if found and found[1].strip() not in _PRONOUNS:
        norwegian = found[2] in ("er", "var", "ble", "har")
        name = found[1].strip()
        was = "var" if found[2] in ("var", "ble") else "er"
        rest = f"{found[2]} {found[3]}"
        return f"Det {was} {name} som {rest}" if norwegian else f"It is {name} that {rest}"
    return None


def value(sentence: str) -> str | None:
    """Make a sentence of a name and a value: "Price: 5" is "Price is 5"."""
    found = re.match(r"^([A-ZÆØÅ][^:.]{3,50}?)\s*(?::| – | — | - )\s*([^:]{2,120}?)\.?$", sentence)
    if not found or len(found[1].split()) > 6:
        return None
    is_norwegian = re.search(r"[æøå]|\b(?:og|er|for å|til)\b", sentence) is not None
    return f"{found[1]} {'er' if is_norwegian else 'is'} {lowered(found[2])}."


def contraction(sentence: str) -> str | None:
    """Shorten "do not" to "don't", or write it out."""
    pairs = (("do not", "don't"), ("does not", "doesn't"), ("is not", "isn't"), ("we are", "we're"),
             ("you are", "you're"), ("cannot", "can't"), ("we will", "we'll"), ("it is", "it's"),
             ("should not", "shouldn't"), ("are not", "aren't"), ("We are", "We're"),
             ("We will", "We'll"), ("You are", "You're"), ("must not", "mustn't"))  # fmt: skip
    for long, short in pairs:
        for old, new in ((long, short), (short, long)):
            if re.search(rf"\b{re.escape(old)}\b", sentence):
                return re.sub(rf"\b{re.escape(old)}\b", new, sentence)
    return None
