"""What experts decide about pairs beside yes and no: releasing, merging, and which one is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from bot.pair_checks import kinds_of_personal_data, personal_data_reasons
from bot.pair_conflicts import lay_beside
from storage import (
    jobs,
    pair_clearing,
    pair_conflicts,
    pair_groups,
    pair_holds,
    pair_ledger,
    pair_watch,
    pairs,
)
from storage.database import Database
from storage.pair_records import PairChangeRefused
from storage.pair_vouching import say_not_personal


class PairDeciding:
    """Decisions by an expert, each with a reason that is kept. Plain values in and out."""

    def __init__(self, database: Database, actor: str, wake: Callable[[], None]) -> None:
        """Take the database, who decides, and what lets the work that follows begin."""
        self._database = database
        self._actor = actor
        self._wake = wake

    @property
    def operations(self) -> dict[str, Callable[..., Any]]:
        """The operations by name."""
        return {
            "pairs.clear": self.clear,
            "pairs.release": self.release,
            "pairs.not_personal": self.not_personal,
            "pairs.merge": self.merge,
            "pairs.conflicts": self.conflicts,
            "pairs.decide": self.decide,
            "pairs.counts": self.counts,
        }

    def clear(self, pair_id: int, reason: str) -> dict[str, Any]:
        """Let everybody see a pair that was for some only. Raises `PairChangeRefused`.

        For everybody it is new: it is laid beside what they are answered already, and takes the
        place of what answers the same question.
        """
        with self._database.write() as session:
            pair = pair_clearing.clear(session, pair_id, self._actor, reason)
            if pair.state in ("proposed", "approved"):
                pair = lay_beside(session, pair)
            for number in (pair_id, *pairs.outdo(session, pair_id, self._actor)):
                key = f"learn:{number}:cleared:{pair_id}"
                jobs.enqueue(session, "learn_pair", {"pair_id": number}, key=key)
        self._wake()
        return {"id": pair.id, "audience": pair.audience, "holds": list(pair.holds)}

    def release(self, pair_id: int, reason: str) -> dict[str, Any]:
        """Let a held pair train, but not while something personal is found in it.

        Raises:
            PairChangeRefused: it cannot be released, or something personal or secret is found in
                it that nobody has said is not.
        """
        with self._database.read() as session:
            pair = pairs.get(session, pair_id)
            known = pair_watch.reasons_ever(session, pair_id)
        found = personal_data_reasons(pair.input, pair.output, pair.context)
        if any(reason in pair.holds or reason not in known for reason in found):
            raise PairChangeRefused(
                f"Something personal or secret is found in pair {pair_id}, so it must not train as "
                f"it is. Mask it: `skredder pairs mask {pair_id}`, or correct it. If it is a false "
                f'alarm, say why: `skredder pairs release {pair_id} --not-personal "…"`.'
            )
        with self._database.write() as session:
            released = pair_holds.release(session, pair_id, self._actor, reason)
            return {"id": pair_id, "released": released}

    def not_personal(self, pair_id: int, why: str) -> dict[str, Any]:
        """Say that what is found in a pair is not personal. Raises `PairChangeRefused`."""
        with self._database.read() as session:
            pair = pairs.get(session, pair_id)
        reasons = personal_data_reasons(pair.input, pair.output, pair.context)
        if not reasons:
            raise PairChangeRefused(f"Nothing personal or secret is found in pair {pair_id}.")
        kinds = kinds_of_personal_data(pair.input, pair.output, pair.context)
        with self._database.write() as session:
            left = say_not_personal(
                session, pair_id, reasons, kinds=kinds, actor=self._actor, why=why
            ).holds
        released = len(set(pair.holds) - set(left))
        return {"id": pair_id, "released": released, "holds": list(left)}

    def merge(self, pair_id: int, other_id: int) -> dict[str, Any]:
        """Say that two pairs ask the same. Raises `PairChangeRefused`."""
        with self._database.write() as session:
            return asdict(pair_groups.merge(session, pair_id, other_id, self._actor))

    def conflicts(self) -> list[dict[str, Any]]:
        """Show the pairs that contradict each other, side by side."""
        with self._database.read() as session:
            return [_side_by_side(session, each) for each in pair_conflicts.waiting(session)]

    def decide(self, conflict_id: int, keep: str, reason: str) -> dict[str, Any]:
        """Say which of two pairs is right: `older`, `newer` or `both`."""
        with self._database.write() as session:
            decided = pairs.decide_conflict(session, conflict_id, keep, self._actor, reason)
            for pair_id in (decided.older_id, decided.newer_id):
                key = f"learn:{pair_id}:conflict:{conflict_id}"
                jobs.enqueue(session, "learn_pair", {"pair_id": pair_id}, key=key)
        self._wake()
        return {"conflict": conflict_id, "kept": keep}

    def counts(self) -> dict[str, Any]:
        """Count the pairs, and say where the audit log counts otherwise."""
        with self._database.read() as session:
            counted = asdict(pair_ledger.count(session))
            try:
                differences = pair_ledger.differences(session)
            except pair_ledger.LogTooOld as too_old:
                differences = (str(too_old),)
        return counted | {"differences": list(differences)}


def _side_by_side(session: Session, conflict: pair_conflicts.Conflict) -> dict[str, Any]:
    older, newer = pairs.get(session, conflict.older_id), pairs.get(session, conflict.newer_id)
    return {
        "conflict": conflict.id,
        "disagreement": conflict.disagreement,
        "question": newer.input,
        "older": {"id": older.id, "output": older.output, "author": older.author},
        "newer": {"id": newer.id, "output": newer.output, "author": newer.author},
    }
