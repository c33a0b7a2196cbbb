"""Inserting a row that may be there already, the same way on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult, Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.tables import Table


def insert_once(session: Session, table: type[Table], **values: Any) -> int | None:
    """Insert a row unless a unique key is taken.

    Returns:
        The new row's `id`, or None when such a row was there already (nothing is changed then).
    """
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Insert = insert(table).values(**values).on_conflict_do_nothing()
    result = session.execute(statement.returning(table.__table__.c.id))
    row = result.first()
    return None if row is None else int(row[0])


def rows_changed(result: Any) -> int:
    """How many rows an UPDATE or DELETE changed."""
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
