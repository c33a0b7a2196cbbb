"""Inserting a row that may be there already, the same way on SQLite and PostgreSQL."""

from __future__ import annotations

from functools import lru_cache
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
    session.flush()  # the row may refer to one that is only in the session yet
    row = session.execute(_statement(table, session.get_bind().dialect.name), values).first()
    return None if row is None else int(row[0])


@lru_cache(maxsize=128)
def _statement(table: type[Table], dialect: str) -> Any:
    """The statement for a table, built once: building takes longer than the database does."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Insert = insert(table.__table__).on_conflict_do_nothing()  # type: ignore[arg-type]
    return statement.returning(table.__table__.c.id)


def rows_changed(result: Any) -> int:
    """How many rows an UPDATE or DELETE changed."""
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
