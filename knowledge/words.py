"""Words of a text as they are compared: folded, without function words, stemmed, unaccented."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from knowledge.language import ENGLISH_FUNCTION_WORDS, NORWEGIAN_FUNCTION_WORDS

#: The two languages passages are stemmed in, by the names Snowball has for them.
STEMMERS = {"en": "english", "no": "norwegian"}

_WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 64
_FUNCTION_WORDS = ENGLISH_FUNCTION_WORDS | NORWEGIAN_FUNCTION_WORDS
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "đ": "d", "ł": "l", "ß": "ss", "’": "'"})

_lock = threading.Lock()


def words(text: str) -> list[str]:
    """Return the words of `text` in order: compatibility-normalised, case-folded, bounded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [word[:_LONGEST_WORD] for word in _WORD.findall(folded)]


def content_words(text: str) -> list[str]:
    """Return the words that say what a text is about; all of them if none does."""
    everything = words(text)
    return [word for word in everything if word not in _FUNCTION_WORDS] or everything


def stems(of_words: Iterable[str], language: str) -> list[str]:
    """Return each word's stem in a language (`en` or `no`), without accents.

    Both what is indexed and what is asked go through here, so ä, å and a are equal, as are ø
    and o, and æ and ae.
    """
    stemmer = _stemmer(STEMMERS.get(language, "english"))
    with _lock:  # one Snowball stemmer is not safe in several threads
        stemmed: list[str] = stemmer.stemWords(list(of_words))
    return [_unaccented(stem) for stem in stemmed]


@lru_cache(maxsize=65_536)
def _unaccented(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.translate(_LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@lru_cache(maxsize=4)
def _stemmer(name: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(name)
