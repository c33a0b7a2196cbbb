from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import storage
from storage import serving_embedder
from storage.database import Database


def test_what_serves_is_what_was_changed_to_last(database: Database) -> None:
    with database.read() as session:
        assert serving_embedder.get(session) is None
    for named, space in [("english", "a"), ("multilingual", "b")]:
        with database.write() as session:
            serving_embedder.change(session, named, space)
        with database.read() as session:
            found = serving_embedder.get(session)
        assert found is not None
        assert (found.named, found.space) == (named, space)
    with database.write() as session:
        serving_embedder.change(session, "multilingual", "b")
    with database.read() as session:
        again = serving_embedder.get(session)
    assert again == found


@pytest.mark.parametrize("has_pages", [True, False])
def test_an_installation_from_before_there_was_a_choice_is_served_by_the_english_one(
    tmp_path: Path, has_pages: bool
) -> None:
    url = f"sqlite:///{tmp_path / 'skredder.db'}"
    config = Config()
    config.set_main_option("script_location", str(Path(storage.__file__).parent / "migrations"))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        if has_pages:
            _insert_a_page(connection)
    engine.dispose()
    database = Database(url)
    database.migrate()
    with database.read() as session:
        found = serving_embedder.get(session)
    database.close()
    if has_pages:
        assert found is not None
        assert (found.named, found.space) == ("english", "minilm-l6-v2")
        assert found.changed_at.tzinfo is not None
    else:
        assert found is None


def _insert_a_page(connection: object) -> None:
    execute = connection.execute  # type: ignore[attr-defined]
    execute(
        text(
            "INSERT INTO sources (id, location, audience, created_at, is_leaving) "
            "VALUES (1, 'pages', 'everyone', '2026-01-01', false)"
        )
    )
    execute(
        text(
            "INSERT INTO documents (id, source_id, uri, title, audience, language, content_hash, "
            "version, state, synced_at) VALUES (1, 1, 'a.md', 'A', 'everyone', 'en', 'x', 1, "
            "'indexed', '2026-01-01')"
        )
    )
    execute(
        text(
            "INSERT INTO passages (id, document_id, version, ordinal, heading, text) "
            "VALUES ('p', 1, 1, 0, 'A', 'text')"
        )
    )
