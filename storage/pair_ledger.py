"""The books of the pairs: every count from the tables, and the same from the audit log alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from storage import audit
from storage.pair_life import STATES
from storage.pair_records import is_open_hold, may_be_in_a_snapshot
from storage.tables import PairConflictRow, PairGroupRow, PairHoldRow, PairRow


class LogTooOld(Exception):
    """The audit log goes back to before it said enough to count from."""


@dataclass(frozen=True)
class Counts:
    """How many there are of everything.

    Attributes:
        by_state: Pairs in each state.
        set_aside: Pairs that are on neither side.
        erased: Pairs whose texts were taken out.
        open_holds: Reasons that keep pairs from training now.
        open_conflicts: Contradictions that wait for a decision.
        groups: Groups that stand for themselves, by side.
        train: Pairs for everyone that may train now.
        held_out: Pairs for everyone that may measure now.
    """

    by_state: Mapping[str, int]
    set_aside: int
    erased: int
    open_holds: int
    open_conflicts: int
    groups: Mapping[str, int]
    train: int
    held_out: int


def count(session: Session) -> Counts:
    """Count what the tables hold."""
    own, standing = aliased(PairGroupRow), aliased(PairGroupRow)
    usable = session.execute(
        select(standing.split, func.count())
        .select_from(PairRow)
        .join(own, own.id == PairRow.group_id)
        .join(standing, standing.id == func.coalesce(own.merged_into_id, own.id))
        .where(*may_be_in_a_snapshot("everyone"))
        .group_by(standing.split)
    )
    sides = Counter({split: int(number) for split, number in usable})
    by_state = session.execute(select(PairRow.state, func.count()).group_by(PairRow.state))
    groups = session.execute(
        select(PairGroupRow.split, func.count())
        .where(PairGroupRow.merged_into_id.is_(None))
        .group_by(PairGroupRow.split)
    )
    return Counts(
        by_state=dict.fromkeys(STATES, 0) | {state: int(n) for state, n in by_state},
        set_aside=_number(session, PairRow, PairRow.set_aside.is_not(None)),
        erased=_number(session, PairRow, PairRow.erased_at.is_not(None)),
        open_holds=_number(session, PairHoldRow, is_open_hold()),
        open_conflicts=_number(session, PairConflictRow, PairConflictRow.outcome.is_(None)),
        groups={"train": 0, "held_out": 0} | {split: int(n) for split, n in groups},
        train=sides["train"],
        held_out=sides["held_out"],
    )


def recount(session: Session) -> Counts:
    """Count again from the audit log alone; what differs was changed behind its back.

    Raises:
        LogTooOld: pairs were proposed when the log did not say enough yet.
    """
    books = _Books()
    for record in audit.history(session, ("pair.", "group.", "conflict.")):
        books.enter(record)
    if books.without_group:
        raise LogTooOld(
            f"{books.without_group} pairs were proposed before the audit log said which group "
            "they belong to; the counts cannot be recomputed from it."
        )
    return books.counts()


def differences(session: Session) -> tuple[str, ...]:
    """Say what the tables count otherwise than the audit log; nothing if all is well."""
    tables, log = count(session), recount(session)
    return tuple(
        f"{name.replace('_', ' ')}: {getattr(tables, name)} in the tables, "
        f"{getattr(log, name)} by the audit log"
        for name in Counts.__dataclass_fields__
        if getattr(tables, name) != getattr(log, name)
    )


def _number(session: Session, table: Any, condition: Any) -> int:
    return int(session.scalars(select(func.count()).select_from(table).where(condition)).one())


@dataclass
class _Books:
    state: dict[int, str] = field(default_factory=dict)
    group: dict[int, int] = field(default_factory=dict)
    for_everyone: set[int] = field(default_factory=set)
    set_aside: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)
    holds: dict[int, set[int]] = field(default_factory=dict)
    split: dict[int, str] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    conflicts: set[int] = field(default_factory=set)
    without_group: int = 0

    def enter(self, record: audit.AuditRecord) -> None:
        """Follow one change."""
        number, details = int(record.subject.split()[-1]), record.details
        match record.action:
            case "group.made":
                self.split[number] = details["split"]
            case "group.merged":
                self.merged[number] = details["into"]
            case "conflict.opened":
                self.conflicts.add(number)
            case "conflict.decided":
                self.conflicts.discard(number)
            case _:
                self._enter_pair(number, record.action.removeprefix("pair."), details)

    def _enter_pair(self, number: int, change: str, details: Mapping[str, Any]) -> None:
        match change:
            case "propose" if "group" not in details:
                self.without_group += 1
            case "propose":
                self.state[number] = "proposed"
                self.group[number] = details["group"]
                if details["audience"] == "everyone":
                    self.for_everyone.add(number)
                if details["is_set_aside"]:
                    self.set_aside.add(number)
            case "approved" | "rejected" | "revoked" | "superseded":
                self.state[number] = change
            case "reinstated":
                self.state[number] = "approved"
            case "cleared":
                self.for_everyone.add(number)
            case "set_aside":
                self.set_aside.add(number)
            case "erased":
                self.erased.add(number)
            case "hold":
                self.holds.setdefault(number, set()).add(details["hold"])
            case "release":
                self.holds[number].discard(details["hold"])

    def counts(self) -> Counts:
        """Return what the changes add up to."""
        usable = Counter(
            self.split[self._standing(self.group[pair])]
            for pair, state in self.state.items()
            if state == "approved"
            and pair in self.for_everyone
            and pair not in self.set_aside
            and not self.holds.get(pair)
        )
        groups = Counter(split for group, split in self.split.items() if group not in self.merged)
        return Counts(
            by_state=dict.fromkeys(STATES, 0) | Counter(self.state.values()),
            set_aside=len(self.set_aside),
            erased=len(self.erased),
            open_holds=sum(len(holds) for holds in self.holds.values()),
            open_conflicts=len(self.conflicts),
            groups={"train": groups["train"], "held_out": groups["held_out"]},
            train=usable["train"],
            held_out=usable["held_out"],
        )

    def _standing(self, group: int) -> int:
        while group in self.merged:
            group = self.merged[group]
        return group
