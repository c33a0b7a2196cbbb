"""Keeping other writers out until a transaction ends, where the database itself lets several in."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session


def one_at_a_time(session: Session) -> None:
    """Wait until no other transaction is past this point, and keep them from it until this ends.

    There is one such lock, for the chain of the audit log and for the groups of questions alike: a
    transaction that needs both can then never wait for one that waits for it. SQLite has only one
    writer as it is.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(7365002)"))
