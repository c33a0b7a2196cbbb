"""The audit trail: every change that somebody will want to explain later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.one_writer import one_at_a_time
from storage.tables import AuditRow

_GENESIS = "0" * 64

#: Built once: each of thousands of pairs in a file leaves several records.
_LAST_HASH = select(AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)
_INSERT = insert(AuditRow.__table__)  # type: ignore[arg-type]

#: Where a session keeps its transaction and the hash of the record that was last written in it.
_KEPT = "audit: the last hash"


@dataclass(frozen=True)
class AuditRecord:
    """Who did what to which thing, and when."""

    id: int
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]
    created_at: datetime


def record(
    session: Session,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append a record in the caller's transaction, chained to the one before by SHA-256.

    Args:
        session: The transaction that makes the change; both are committed or neither.
        actor: A Slack user id, `command line`, or `schedule`.
        action: A verb with its noun: `pair.approve`, `version.promote`.
        subject: The thing changed: `pair 12`, `version v3`.
        details: What explains the change; values must be JSON.
    """
    session.flush()
    row: dict[str, Any] = {
        "previous_hash": _last_hash(session),
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": dict(details or {}),
        "created_at": utc_now(),
    }
    row["hash"] = _seal(**row)
    session.connection().execute(_INSERT, row)
    _keep(session, row["hash"])


def latest(session: Session, limit: int = 20) -> tuple[AuditRecord, ...]:
    """Return the newest records first."""
    rows = session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(limit))
    return tuple(
        AuditRecord(row.id, row.actor, row.action, row.subject, row.details, row.created_at)
        for row in rows
    )


def history(session: Session, prefixes: Sequence[str]) -> Iterator[AuditRecord]:
    """Yield all records whose action begins with one of `prefixes`, oldest first."""
    wanted = select(AuditRow).where(or_(*(AuditRow.action.startswith(p) for p in prefixes)))
    for row in session.scalars(wanted.order_by(AuditRow.id).execution_options(yield_per=1000)):
        yield AuditRecord(row.id, row.actor, row.action, row.subject, row.details, row.created_at)


def is_recorded(session: Session, action: str, subject: str) -> bool:
    """Whether something has been done to a thing."""
    wanted = select(AuditRow.id).where(AuditRow.action == action, AuditRow.subject == subject)
    return session.scalar(wanted.limit(1)) is not None


def first_broken(session: Session) -> int | None:
    """Return the id of the first record that was altered or whose predecessor is gone."""
    previous = _GENESIS
    for row in session.scalars(select(AuditRow).order_by(AuditRow.id)):
        if row.previous_hash != previous or row.hash != _seal_of(row):
            return row.id
        previous = row.hash
    return None


def reseal(session: Session, rewritten: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """Change the details of old records and seal the chain anew from there on.

    Only for erasing what a person wrote: who did what, and when, stays as it was. The caller
    records that it was done.

    Args:
        session: A writing transaction.
        rewritten: Returns the details as they are to be; equal ones leave a record alone.

    Returns:
        How many records were changed.
    """
    one_at_a_time(session)
    changed, previous = 0, _GENESIS
    for row in session.scalars(select(AuditRow).order_by(AuditRow.id)):
        details = rewritten(dict(row.details))
        if details != row.details:
            row.details, changed = details, changed + 1
        if changed:
            row.previous_hash = previous
            row.hash = _seal_of(row)
        previous = row.hash
    session.flush()
    session.info.pop(_KEPT, None)
    return changed


def _last_hash(session: Session) -> str:
    """The hash of the newest record: what this transaction wrote last, else what is stored.

    Once a transaction has written, nobody else can before it ends, so it need not ask again.
    """
    transaction, known = session.info.get(_KEPT, (None, None))
    if known is not None and transaction is session.get_transaction():
        return str(known)
    one_at_a_time(session)  # or two records would name the same predecessor
    return session.scalar(_LAST_HASH) or _GENESIS


def _keep(session: Session, written: str) -> None:
    """Keep the last hash for the next record; not in a savepoint, which may be taken back."""
    if session.in_nested_transaction():
        session.info.pop(_KEPT, None)
    else:
        session.info[_KEPT] = session.get_transaction(), written


def _seal_of(row: AuditRow) -> str:
    return _seal(
        previous_hash=row.previous_hash,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        details=row.details,
        created_at=row.created_at,
    )


def _seal(
    *,
    previous_hash: str,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any],
    created_at: datetime,
) -> str:
    content = json.dumps(
        [previous_hash, actor, action, subject, details, created_at.isoformat()],
        sort_keys=True,
        ensure_ascii=False,
    )
    return hashlib.sha256(content.encode()).hexdigest()
