"""Opening the database: one engine for writers, one for readers, migrations brought up to date."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

#: How long a writer waits for another one before it gives up, in seconds.
BUSY_TIMEOUT_SECONDS = 5.0

#: How long a scrub waits for a moment in which nobody reads, in seconds.
SCRUB_PATIENCE_SECONDS = 60.0


class DatabaseUnusable(Exception):
    """The database cannot be opened or is not one of ours; the message says what to do."""


class Database:
    """A SQLite or PostgreSQL database, migrated to the newest schema.

    Writers on SQLite begin with `BEGIN IMMEDIATE`: with the driver's own default, two
    read-modify-write transactions lose one of the updates without an error. Readers use an
    engine of their own, so that they neither wait for writers nor hold them up.
    """

    def __init__(self, url: str) -> None:
        """Connect to `url` (a SQLAlchemy URL). Raise `DatabaseUnusable` if that fails."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self._writer = self._engine(immediate=True)
        self._reader = self._engine(immediate=False)
        self._writing = threading.RLock()

    def _engine(self, *, immediate: bool) -> Engine:
        if not self.is_sqlite:
            return create_engine(self.url, pool_pre_ping=True)
        engine = create_engine(self.url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_immediate if immediate else _begin_deferred)
        return engine

    def migrate(self) -> None:
        """Bring the schema up to date. Safe to call from several processes at once.

        Raises:
            DatabaseUnusable: the database cannot be reached or cannot be changed.
        """
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError
        from sqlalchemy.exc import SQLAlchemyError

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            with self._writer.begin() as connection:
                if not self.is_sqlite:
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7365001)")
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except (CommandError, SQLAlchemyError) as error:
            raise DatabaseUnusable(
                f"The database {self.url.render_as_string()} could not be brought up to date: "
                f"{error}. Check that it is reachable and was not made by a newer Skredder."
            ) from error

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that writes: committed at the end, rolled back on any exception.

        Keep it short, and never call a model or Slack inside it.
        """
        with (
            self._turn(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let writers of this process wait for each other before they ask SQLite for its lock.

        SQLite's own waiting is by chance: of many writers one may starve until it gives up.
        Writers of other processes are still waited for by its busy timeout, and so is one of this
        process that takes longer than that.
        """
        has_turn = self.is_sqlite and self._writing.acquire(timeout=BUSY_TIMEOUT_SECONDS)
        try:
            yield
        finally:
            if has_turn:
                self._writing.release()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads; it sees one consistent state."""
        with Session(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    def first_fault(self) -> str | None:
        """Return what the database itself finds wrong with its files, or None."""
        with self.read() as session:
            if not self.is_sqlite:
                session.execute(text("SELECT 1"))
                return None
            found = session.scalar(text("PRAGMA quick_check(1)"))
        return None if found == "ok" else str(found)

    def scrub(self, patience: float = SCRUB_PATIENCE_SECONDS) -> None:
        """Write the files anew without what was deleted or overwritten in them.

        What was deleted stays in free pages, old row versions and the write-ahead log until then.
        On PostgreSQL its own log and backups are not touched. It takes room for a second copy.

        Args:
            patience: How long to wait for the transactions of others to end, in seconds.

        Raises:
            DatabaseUnusable: others kept the files busy, so something may be left in them.
        """
        connection = self._writer.raw_connection()
        try:
            driver: Any = connection.driver_connection
            if self.is_sqlite:
                self._scrub_sqlite(driver, time.monotonic() + patience)
                return
            was_automatic, driver.autocommit = driver.autocommit, True
            try:
                driver.execute("VACUUM FULL")
            finally:
                driver.autocommit = was_automatic
        finally:
            connection.close()

    def _scrub_sqlite(self, driver: Any, until: float) -> None:
        while True:
            try:
                driver.execute("VACUUM")
                (is_busy, *_rest) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError:  # a reader or writer is in the way
                is_busy = True
            if not is_busy:
                return
            if time.monotonic() >= until:
                raise DatabaseUnusable(
                    f"{self.url.database} could not be written anew because others read it all the "
                    "time. Stop the bot and try again."
                )
            time.sleep(0.2)

    def close(self) -> None:
        """Give all connections back."""
        self._writer.dispose()
        self._reader.dispose()


def _configure_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    driver: Any = connection
    driver.isolation_level = None  # transactions are begun by the hooks below, never by the driver
    cursor = driver.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={int(BUSY_TIMEOUT_SECONDS * 1000)}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
