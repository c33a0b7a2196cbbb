"""Groups of near-duplicate questions, and the side of the split each lies on, for ever.

A group is drawn to `train` or `held_out` once, by a hash of its key, when its first question
arrives. Later questions that are nearly the same join it, so that a held-out question can never
come back in other words and be trained on.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.insertion import insert_once
from storage.tables import PairGroupRow

#: Two questions are near-duplicates when they share this part of their content words (Jaccard).
SAME_QUESTION_OVERLAP = 0.6

_WORD = re.compile(r"\w+")

#: Words that carry no subject, English and Norwegian; left out before two questions are compared.
_FUNCTION_WORDS = frozenset(
    """
    a an and any are as at be been but by can could did do does for from get go had has have hello
    hey hi how i if in is it its just know me my need of on or our please should so some that the
    their them there they this to want was we what when where which who why will with would you
    your quick question anyone somebody
    alle at av da de den der det du eller en er et for fra får ha har hei hva hvem hvilken hvis
    hvor hvordan i ikke jeg kan man med meg min mitt må noe noen når og om oss på skal som så til
    var vi vil vår være å
    """.split()
)


def question_key(question: str) -> str:
    """Return `question` in the form by which two spellings of the same question are equal.

    Compatibility-normalised (NFKC), case-folded, punctuation and repeated spaces taken out.
    """
    folded = unicodedata.normalize("NFKC", question).casefold()
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", folded)))


def content_words(question: str) -> frozenset[str]:
    """Return the words of `question` that say what it is about."""
    words = frozenset(question_key(question).split())
    return (words - _FUNCTION_WORDS) or words


def draw_split(group_key: str, held_out_share: float) -> str:
    """Draw `train` or `held_out` for a new group: a pure function of its key.

    Args:
        group_key: The key of the group's first question.
        held_out_share: The wished share of held-out groups, between 0 and 1.
    """
    digest = hashlib.sha256(group_key.encode()).digest()
    drawn = int.from_bytes(digest[:8]) / 2**64
    return "held_out" if drawn < held_out_share else "train"


def assign(session: Session, question: str, held_out_share: float) -> int:
    """Return the id of the group `question` belongs to, made now if it is a new question."""
    key = " ".join(sorted(content_words(question)))
    words = content_words(question)
    best_id, best_overlap = None, 0.0
    for group_id, group_key in session.execute(select(PairGroupRow.id, PairGroupRow.key)):
        other = frozenset(group_key.split())
        overlap = len(words & other) / len(words | other) if words | other else 1.0
        if overlap > best_overlap:
            best_id, best_overlap = group_id, overlap
    if best_id is not None and best_overlap >= SAME_QUESTION_OVERLAP:
        return int(best_id)
    made = insert_once(
        session,
        PairGroupRow,
        key=key,
        split=draw_split(key, held_out_share),
        created_at=utc_now(),
    )
    if made is not None:
        return made
    return int(session.scalars(select(PairGroupRow.id).where(PairGroupRow.key == key)).one())
