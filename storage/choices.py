"""What people chose in Slack and the settings file does not say: of a channel, of the schedule."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import audit
from storage.clock import utc_now
from storage.tables.conversation import ChoiceRow


def choose(session: Session, scope: str, name: str, value: str, actor: str) -> None:
    """Keep a choice, in place of the one before.

    Args:
        session: A writing transaction.
        scope: What it is about: `training`, or `channel T1/C1`.
        name: Which choice: `schedule`, `strict`.
        value: What was chosen, as text.
        actor: Who chose, a Slack user id or `command line`.
    """
    row = session.scalar(
        select(ChoiceRow).where(ChoiceRow.scope == scope, ChoiceRow.name == name).with_for_update()
    )
    before = None if row is None else row.value
    if row is None:
        row = ChoiceRow(scope=scope, name=name)
        session.add(row)
    row.value, row.chosen_by, row.chosen_at = value, actor, utc_now()
    audit.record(session, actor, f"choose.{name}", scope, {"was": before, "is": value})
    session.flush()


def chosen(session: Session, scope: str, name: str) -> str | None:
    """Return what was chosen, or None when nobody has."""
    return session.scalar(
        select(ChoiceRow.value).where(ChoiceRow.scope == scope, ChoiceRow.name == name)
    )


def scopes(session: Session, name: str, value: str) -> tuple[str, ...]:
    """Return the scopes in which this value was chosen."""
    found = session.scalars(
        select(ChoiceRow.scope)
        .where(ChoiceRow.name == name, ChoiceRow.value == value)
        .order_by(ChoiceRow.scope)
    )
    return tuple(found)
