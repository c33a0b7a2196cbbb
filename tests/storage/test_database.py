from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, select, text, update

from storage.clock import utc_now
from storage.database import BUSY_TIMEOUT_SECONDS, Database, DatabaseUnusable
from storage.tables import PairGroupRow, Table


def test_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.read() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Table.metadata) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    database.migrate()
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_sqlite_keeps_what_was_committed_when_the_power_fails(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    with database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()


def _count_up(databases: Sequence[Database], times: int = 25) -> int:
    """Let writers, each with a database of its own as processes have, read a number and write it
    back one higher; return what it became."""
    database = databases[0]
    with database.write() as session:
        session.add(PairGroupRow(key="counter", split="0", created_at=utc_now()))

    def work(own: Database) -> None:
        for _ in range(times):
            with own.write() as session:
                counter = select(PairGroupRow.split).where(PairGroupRow.key == "counter")
                value = int(session.scalars(counter).one())
                session.execute(
                    update(PairGroupRow)
                    .where(PairGroupRow.key == "counter")
                    .values(split=str(value + 1))
                )

    workers = [threading.Thread(target=work, args=(own,)) for own in databases]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with database.read() as session:
        return int(session.scalars(select(PairGroupRow.split)).one())


def _opened_by_four(tmp_path: Path) -> list[Database]:
    databases = [Database(f"sqlite:///{tmp_path / 'a.db'}") for _ in range(4)]
    databases[0].migrate()
    return databases


def test_no_update_is_lost_between_two_writers_on_sqlite(tmp_path: Path) -> None:
    databases = _opened_by_four(tmp_path)
    assert _count_up(databases) == 100
    for database in databases:
        database.close()


def test_without_our_way_to_begin_updates_are_lost(tmp_path: Path) -> None:
    """The safeguard above is needed: with the driver's own transactions, updates vanish."""
    databases = _opened_by_four(tmp_path)
    for database in databases:
        database._writer.dispose()
        plain = create_engine(database.url, connect_args={"timeout": 5})
        event.listen(plain, "connect", lambda driver, _: driver.execute("PRAGMA journal_mode=WAL"))
        database._writer = plain
    assert _count_up(databases) < 100
    for database in databases:
        database.close()


def test_many_writers_of_one_process_each_get_their_turn(tmp_path: Path) -> None:
    """Together they take longer than SQLite would let the last of them wait."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    database.migrate()
    count, seconds = 12, 0.5
    assert count * seconds > BUSY_TIMEOUT_SECONDS

    def write(number: int) -> None:
        with database.write() as session:
            session.add(PairGroupRow(key=f"{number}", split="train", created_at=utc_now()))
            session.flush()
            time.sleep(seconds)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(write, range(count)))
    with database.read() as session:
        assert len(session.scalars(select(PairGroupRow)).all()) == count
    database.close()


def test_a_reader_is_not_held_up_by_a_writer(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    database.migrate()
    with database.write() as writing:
        writing.add(PairGroupRow(key="half done", split="train", created_at=utc_now()))
        writing.flush()
        with database.read() as reading:
            assert reading.scalars(select(PairGroupRow)).all() == []
    database.close()


def test_a_database_that_cannot_be_reached_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(DatabaseUnusable, match="could not be brought up to date"):
        Database(f"sqlite:///{tmp_path / 'a.db'}").migrate()


def _bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("a.db*")))


def test_what_was_deleted_is_gone_from_the_files_after_a_scrub(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    database.migrate()
    with database.write() as session:
        session.add(PairGroupRow(key="narwhal " * 500, split="train", created_at=utc_now()))
    with database.write() as session:
        session.execute(text("DELETE FROM pair_groups"))
    assert b"narwhal" in _bytes_on_disk(tmp_path)
    database.scrub()
    assert b"narwhal" not in _bytes_on_disk(tmp_path)
    database.close()


def test_a_scrub_that_others_hold_up_says_so_and_waits_for_its_moment(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    database.migrate()
    with database.write() as session:
        session.add(PairGroupRow(key="narwhal", split="train", created_at=utc_now()))
    with database.read() as session:
        session.scalar(select(PairGroupRow.key))
        with pytest.raises(DatabaseUnusable, match="Stop the bot"):
            database.scrub(patience=0)
        waiting = threading.Thread(target=database.scrub)
        waiting.start()
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    assert (tmp_path / "a.db-wal").stat().st_size == 0
    database.close()
