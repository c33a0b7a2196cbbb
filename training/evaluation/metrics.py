"""What one answer is worth, compared with the reference: pure functions of texts."""

from __future__ import annotations

import re
import string
from collections import Counter

from training.prompt import cited_numbers, without_citations

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_SEPARATED = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}\b)")
_UNKNOWN = re.compile(
    r"\b(?:i|we) (?:do not|don['’]t|can(?:no|['’])t) (?:know|find|say|tell)"
    r"|\b(?:is|are|was|were) not (?:in|mentioned in|stated in|given in|covered by) the sources"
    r"|\b(?:sources|handbook) (?:do|does) not (?:say|hold|mention|contain|cover)"
    r"|\b(?:jeg|vi) (?:vet|finner|fant|kan) (?:det )?ikke|\bvet (?:jeg|vi) ikke"
    r"|\bikke (?:i|nevnt i) kildene",
    re.IGNORECASE,
)


def normalised_tokens(text: str) -> list[str]:
    """Return the words of `text` as SQuAD's official script compares them.

    Lower case, without punctuation and English articles (Rajpurkar et al. 2016, evaluate-v1.1).
    Citations are taken out first: they are judged by `cites_right_source`.
    """
    lowered = without_citations(text).lower()
    bare = "".join(" " if letter in "-–—/" else letter for letter in lowered)
    bare = "".join(letter for letter in bare if letter not in string.punctuation + "’‘“”…")
    return _ARTICLES.sub(" ", bare).split()


def token_f1(answer: str, reference: str) -> float:
    """Return the harmonic mean of token precision and recall, from 0 to 1.

    Tokens are counted with repetition, as in SQuAD (Rajpurkar et al. 2016, section 6.1).
    """
    said, wanted = normalised_tokens(answer), normalised_tokens(reference)
    if not said or not wanted:
        return float(said == wanted)
    shared = sum((Counter(said) & Counter(wanted)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(said), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def chrf(answer: str, reference: str) -> float:
    """Return the character n-gram F-score of an answer, from 0 to 1.

    n up to 6, recall counted twice, as chrF2 has it (Popović 2015, "chrF: character n-gram F-score
    for automatic MT evaluation"). It forgives another ending of a word, which token F1 does not;
    Norwegian has many.
    """
    from sacrebleu.metrics.chrf import CHRF

    told, wanted = without_citations(answer), without_citations(reference)
    return float(CHRF().sentence_score(told, [wanted]).score) / 100


def numbers(text: str) -> frozenset[str]:
    """Return the numbers in `text`: amounts, dates, times, without citations."""
    joined = _SEPARATED.sub("", without_citations(text))
    return frozenset(number.replace(",", "") for number in _NUMBER.findall(joined))


def has_right_numbers(answer: str, reference: str) -> bool | None:
    """Whether every number of the reference is in the answer; None if it has no numbers.

    Numbers are where a wrong answer does most harm, and where a shared phrase cannot help: an
    answer that only sounds right has a good F1 and the wrong number.
    """
    wanted = numbers(reference)
    return None if not wanted else wanted <= numbers(answer)


def cites_right_source(answer: str, source: int) -> bool:
    """Whether the answer cites the passage that it should rest on, and no other."""
    return cited_numbers(answer) == (source,)


def is_abstention(answer: str) -> bool:
    """Whether the answer says, in English or Norwegian, that it does not know."""
    return _UNKNOWN.search(answer) is not None


def is_empty(answer: str) -> bool:
    """Whether nothing is said: no letter and no digit."""
    return not any(letter.isalnum() for letter in answer)


def word_count(answer: str) -> int:
    """Return the length of an answer in words."""
    return len(without_citations(answer).split())
