"""Near-duplicate questions by their words: MinHash in bands, kept in SQL.

A question is the set of its content words. Its MinHash (Broder, "On the resemblance and
containment of documents", 1997) is cut into 20 bands of 3 values; two questions that share six in
ten of their words share a band with a probability of 99 %, and only those that share one are
compared. What is the same in other words altogether, this does not see.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from storage.pair_groups import SAME_QUESTION_OVERLAP, content_words, question_key
from storage.tables import PairBandRow, PairRow

BANDS = 20
ROWS = 3

#: How datasketch permutes; the bands that are stored were made this way.
_SCHEME: Literal["affine32"] = "affine32"

_NUMBER = re.compile(r"\d+")


@lru_cache(maxsize=256)  # a question is looked up and then stored
def bands(question: str) -> tuple[int, ...]:
    """Return the bands of a question's MinHash, each a signed number of 64 bits."""
    from datasketch import MinHash

    sketch = MinHash(BANDS * ROWS, permutations=_permutations(), scheme=_SCHEME)
    sketch.update_batch([word.encode() for word in sorted(content_words(question))])
    return tuple(
        int.from_bytes(
            hashlib.blake2b(
                bytes([place]) + sketch.hashvalues[place * ROWS : (place + 1) * ROWS].tobytes(),
                digest_size=8,
            ).digest(),
            signed=True,
        )
        for place in range(BANDS)
    )


def store(session: Session, pair_id: int, question: str) -> None:
    """Make a pair's question findable by its words."""
    session.connection().execute(
        insert(PairBandRow),
        [{"pair_id": pair_id, "band": band} for band in bands(question)],
    )


def forget(session: Session, pair_id: int) -> None:
    """Take a pair's question out again, because its text went."""
    session.execute(delete(PairBandRow).where(PairBandRow.pair_id == pair_id))


def candidates(session: Session, question: str) -> tuple[tuple[int, str], ...]:
    """Return id and question of the pairs that may share most of their words with `question`."""
    found = select(PairBandRow.pair_id).where(PairBandRow.band.in_(bands(question)))
    rows = session.execute(
        select(PairRow.id, PairRow.input).where(PairRow.id.in_(found)).order_by(PairRow.id)
    )
    return tuple((int(pair_id), str(text)) for pair_id, text in rows)


def near_by_words(session: Session, question: str) -> tuple[int, ...]:
    """Return the pairs whose questions have nearly the same words as `question`."""
    return tuple(
        pair_id
        for pair_id, text in candidates(session, question)
        if share_their_words(question, text)
    )


def share_their_words(question: str, other: str) -> bool:
    """Whether two questions have the same numbers and nearly the same content words."""
    mine, theirs = content_words(question), content_words(other)
    if not mine or not theirs:
        return question_key(question) == question_key(other)
    overlap = len(mine & theirs) / len(mine | theirs)
    return overlap >= SAME_QUESTION_OVERLAP and _numbers(mine) == _numbers(theirs)


def _numbers(words: Iterable[str]) -> list[str]:
    return sorted(number for word in words for number in _NUMBER.findall(word))


@lru_cache(maxsize=1)
def _permutations() -> Any:
    from datasketch import MinHash

    return MinHash(BANDS * ROWS, seed=1, scheme=_SCHEME).permutations
