"""The inbox: what Slack sent, committed before Slack is told that we have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.insertion import insert_once
from storage.tables import InboxRow


def accept(
    session: Session, key: str, kind: str, team_id: str | None, payload: Mapping[str, Any]
) -> int | None:
    """Record one delivery.

    Args:
        session: The transaction that also enqueues the work.
        key: What is the same in every redelivery: an event id, a view id with its hash.
        kind: `event`, `action`, `view`, `command` or `shortcut`.
        team_id: The workspace it came from.
        payload: The body as Slack sent it.

    Returns:
        The id of the new row, or None when this key was accepted before.
    """
    return insert_once(
        session,
        InboxRow,
        key=key,
        kind=kind,
        team_id=team_id,
        payload=dict(payload),
        received_at=utc_now(),
    )


def payload_of(session: Session, inbox_id: int) -> dict[str, Any]:
    """Return the body that was accepted as `inbox_id`."""
    return session.scalars(select(InboxRow.payload).where(InboxRow.id == inbox_id)).one()
