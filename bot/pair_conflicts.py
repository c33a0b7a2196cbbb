"""A pair is laid beside the approved ones of its group; what contradicts waits for experts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy.orm import Session

from knowledge.contradictions import disagreement
from storage import pair_conflicts, pairs
from storage.pairs import NewPair, Pair

#: Who opens conflicts.
_CHECKS = "checks"


def open_conflicts(session: Session, pair: Pair) -> Pair:
    """Open a decision for each approved answer to the same question that `pair` contradicts.

    Until experts have decided, the pair does not train. Only a proposed pair is looked at.

    Returns:
        The pair as it is then.
    """
    return lay_beside(session, pair) if pair.state == "proposed" else pair


def contradictions(session: Session, pair: NewPair, near: Collection[int]) -> tuple[str, ...]:
    """Return what a pair that is not stored would be held for, were it laid beside the others.

    Args:
        session: A transaction that reads.
        pair: The pair.
        near: The stored pairs that ask the same.
    """
    said: dict[int, str] = {}
    groups = {each.group_key: each for each in pairs.by_ids(session, near)}
    for each in groups.values():
        beside = replace(each, id=0, audience=pair.audience)
        for older_id, output in pairs.approved_outputs_beside(session, beside):
            found = disagreement(pair.input, output, pair.output)
            if found is not None:
                said[older_id] = pair_conflicts.reason_to_hold(older_id, found)
    return tuple(said[older_id] for older_id in sorted(said))


def lay_beside(session: Session, pair: Pair) -> Pair:
    """Do the same with a pair in any state: one that others than before may see from now on."""
    found = False
    for older_id, output in pairs.approved_outputs_beside(session, pair):
        said = disagreement(pair.input, output, pair.output)
        if said is not None:
            pair_conflicts.open_between(session, older_id, pair.id, said, _CHECKS)
            found = True
    return pairs.get(session, pair.id) if found else pair
