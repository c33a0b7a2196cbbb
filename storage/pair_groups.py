"""Groups of near-duplicate questions, and the side of the split each lies on, for ever.

A group is drawn to `train` or `held_out` once, by a hash, when its first question arrives. Later
questions that are nearly the same join it, so that a held-out question can never come back in
other words and be trained on. When two groups turn out to be about the same, they are merged;
if they lie on different sides, the pairs of one of them are set aside, on neither side.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import Session, aliased

from storage import audit
from storage.clock import utc_now
from storage.insertion import insert_once
from storage.one_writer import one_at_a_time
from storage.pair_records import PairChangeRefused
from storage.tables import PairGroupRow, PairRow, SnapshotPairRow

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


@dataclass(frozen=True)
class Membership:
    """Where a new question belongs.

    Attributes:
        group_id: The group that stands for it.
        split: The side on which that group lies.
        key: That group's key.
        set_aside: Why its pair must be on neither side, in words; None if it need not.
    """

    group_id: int
    split: str
    key: str
    set_aside: str | None = None


@dataclass(frozen=True)
class Merged:
    """What a merge did: which group stands for both, and the pairs that it set aside."""

    group_id: int
    split: str
    set_aside: tuple[int, ...]


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


def group_key(question: str) -> str:
    """Return the key of the group that `question` is the first of: a hash, without its words."""
    return hashlib.sha256(question_key(question).encode()).hexdigest()[:32]


def draw_split(drawn_by: str, held_out_share: float) -> str:
    """Draw `train` or `held_out` for a new group: a pure function of a text.

    Args:
        drawn_by: The content words of the group's first question, in order.
        held_out_share: The wished share of held-out groups, between 0 and 1.
    """
    digest = hashlib.sha256(drawn_by.encode()).digest()
    drawn = int.from_bytes(digest[:8]) / 2**64
    return "held_out" if drawn < held_out_share else "train"


def assign(
    session: Session, question: str, near: Collection[int], held_out_share: float
) -> Membership:
    """Return the group `question` belongs to, made now if nothing near was asked before.

    A question near to several groups on one side joins them; between the sides it is set aside.

    Args:
        session: A writing transaction.
        question: What is asked.
        near: The pairs whose questions are the same in other words.
        held_out_share: The wished share of held-out groups.
    """
    groups = {group.group_id: group for group in _standing(session, near)}
    same = _of_key(session, group_key(question))
    if same is not None:
        groups[same.group_id] = same
    if not groups:
        return _make(session, question, held_out_share)
    kept = min(groups)
    if {group.split for group in groups.values()} == {"train", "held_out"}:
        held_out = min(number for number, group in groups.items() if group.split == "held_out")
        return replace(
            groups[held_out],
            set_aside="Its question is nearly the same as one that is trained on and as one that "
            "is kept for measuring; on either side it would leak to the other.",
        )
    for other in sorted(set(groups) - {kept}):
        _point(session, other, kept, "grouping")
    return groups[kept]


def merge(session: Session, one: int, other: int, actor: str) -> Merged:
    """Merge the groups of two pairs, because their questions are the same.

    Where the groups lie on different sides, both sides stay clean: if pairs of the one that is
    trained on are in a snapshot already, the model may have learned them, and the held-out pairs
    prove nothing any more; otherwise those to train on are withheld. What is set aside is on
    neither side from then on.

    Args:
        session: A writing transaction.
        one: A pair of the one group.
        other: A pair of the other.
        actor: Who says so.

    Raises:
        PairChangeRefused: there is no such pair.
    """
    one_at_a_time(session)
    groups = {group.group_id: group.split for group in _standing(session, (one, other))}
    missing = {one, other} - set(
        session.scalars(select(PairRow.id).where(PairRow.id.in_((one, other))))
    )
    if missing:
        raise PairChangeRefused(f"There is no pair {min(missing)}.")
    kept = min(groups)
    if len(groups) == 1:
        return Merged(kept, groups[kept], ())
    if len(set(groups.values())) == 1:
        _point(session, max(groups), kept, actor)
        return Merged(kept, groups[kept], ())
    by_side = {split: group for group, split in groups.items()}
    kept_side = "train" if _was_learned(session, by_side["train"]) else "held_out"
    leaving_side = "held_out" if kept_side == "train" else "train"
    kept, leaving = by_side[kept_side], by_side[leaving_side]
    reason = (
        "Its question is the same as one that a model may have learned already, so it proves "
        "nothing."
        if kept_side == "train"
        else "Its question is the same as one that is kept for measuring, so it must not train."
    )
    aside = session.scalars(
        select(PairRow)
        .where(PairRow.group_id.in_(_members(leaving)), PairRow.set_aside.is_(None))
        .order_by(PairRow.id)
    ).all()
    for row in aside:
        row.set_aside = reason
        audit.record(session, actor, "pair.set_aside", f"pair {row.id}", {"group": kept})
    _point(session, leaving, kept, actor)
    return Merged(kept, kept_side, tuple(row.id for row in aside))


def _members(group_id: int) -> Select[Any]:
    return select(PairGroupRow.id).where(
        (PairGroupRow.id == group_id) | (PairGroupRow.merged_into_id == group_id)
    )


def _standing(session: Session, pair_ids: Collection[int]) -> tuple[Membership, ...]:
    """The groups that stand for these pairs."""
    found: dict[int, Membership] = {}
    ids = sorted(pair_ids)
    for start in range(0, len(ids), 500):
        some = {"pairs": ids[start : start + 500]}
        for group_id, split, key in session.execute(_groups_of(), some):
            found[group_id] = Membership(group_id, split, key)
    return tuple(found.values())


def _of_key(session: Session, key: str) -> Membership | None:
    """The group that stands for the one with this key, if there is one."""
    row = session.execute(_group_of_key(), {"key": key}).first()
    return None if row is None else Membership(row[0], row[1], row[2])


@lru_cache(maxsize=1)
def _groups_of() -> Select[int, str, str]:
    own = aliased(PairGroupRow)
    return (
        select(PairGroupRow.id, PairGroupRow.split, PairGroupRow.key)
        .join(own, PairGroupRow.id == func.coalesce(own.merged_into_id, own.id))
        .join(PairRow, PairRow.group_id == own.id)
        .where(PairRow.id.in_(bindparam("pairs", expanding=True)))
        .distinct()
    )


@lru_cache(maxsize=1)
def _group_of_key() -> Select[int, str, str]:
    own = aliased(PairGroupRow)
    return (
        select(PairGroupRow.id, PairGroupRow.split, PairGroupRow.key)
        .join(own, PairGroupRow.id == func.coalesce(own.merged_into_id, own.id))
        .where(own.key == bindparam("key"))
    )


def _make(session: Session, question: str, held_out_share: float) -> Membership:
    split = draw_split(" ".join(sorted(content_words(question))), held_out_share)
    key = group_key(question)
    made = insert_once(session, PairGroupRow, key=key, split=split, created_at=utc_now())
    if made is None:  # another process has just made it
        there = _of_key(session, key)
        assert there is not None
        return there
    audit.record(session, "grouping", "group.made", f"group {made}", {"split": split})
    return Membership(made, split, key)


def _point(session: Session, leaving: int, kept: int, actor: str) -> None:
    session.execute(
        update(PairGroupRow)
        .where((PairGroupRow.id == leaving) | (PairGroupRow.merged_into_id == leaving))
        .values(merged_into_id=kept)
    )
    audit.record(session, actor, "group.merged", f"group {leaving}", {"into": kept})


def _was_learned(session: Session, group_id: int) -> bool:
    """Whether a pair of this group is to be trained on in any snapshot."""
    found = session.scalar(
        select(SnapshotPairRow.pair_id)
        .join(PairRow, PairRow.id == SnapshotPairRow.pair_id)
        .where(SnapshotPairRow.split == "train", PairRow.group_id.in_(_members(group_id)))
        .limit(1)
    )
    return found is not None
