from __future__ import annotations

from datetime import UTC, datetime

import pytest

from storage import documents, sources
from storage.database import Database
from storage.documents import DocumentText, PassageText, StoredPassage
from storage.sources import Source

MAY = datetime(2026, 5, 1, tzinfo=UTC)


def _text(*texts: str, content_hash: str = "h1", title: str = "Leave") -> DocumentText:
    return DocumentText(
        title=title,
        language="en",
        content_hash=content_hash,
        passages=tuple(PassageText(f"{title} > Part {n}", text) for n, text in enumerate(texts)),
        owner="Ingrid Moen",
        updated_at=MAY,
    )


def _source(database: Database, audience: str = "everyone") -> Source:
    with database.write() as session:
        return sources.register(session, "/pages", audience)


def _write(
    database: Database, source: Source, text: DocumentText, uri: str = "leave.md"
) -> tuple[StoredPassage, ...]:
    with database.write() as session:
        return documents.write_version(session, source, uri, text)


def _serve(
    database: Database, source: Source, text: DocumentText, uri: str = "leave.md"
) -> tuple[tuple[StoredPassage, ...], tuple[str, ...]]:
    passages = _write(database, source, text, uri)
    with database.write() as session:
        gone = documents.serve_version(session, passages[0].document_id, passages[0].version, text)
    return passages, gone


def _usable(database: Database, ids: list[str], *audiences: str) -> list[str]:
    with database.read() as session:
        return list(documents.passages_by_ids(session, ids, audiences))


def test_a_source_is_registered_once_for_each_audience(database: Database) -> None:
    assert _source(database) == _source(database)
    assert _source(database).id != _source(database, "channel:hr").id
    with database.read() as session:
        assert [s.audience for s in sources.listed(session)] == ["everyone", "channel:hr"]


def test_a_passage_is_usable_only_after_its_version_is_served(database: Database) -> None:
    source, text = _source(database), _text("18 weeks")
    (written,) = _write(database, source, text)
    assert _usable(database, [written.id], "everyone") == []
    with database.write() as session:
        documents.serve_version(session, written.document_id, written.version, text)
    with database.read() as session:
        found = documents.passages_by_ids(session, [written.id], ["everyone"])[written.id]
    assert found == written
    assert (found.title, found.heading, found.updated_at) == ("Leave", "Part 0", MAY)


def test_the_old_version_is_served_until_the_flip_and_never_after_it(database: Database) -> None:
    source = _source(database)
    (old,), _ = _serve(database, source, _text("18 weeks"))
    text = _text("20 weeks", content_hash="h2")
    (new,) = _write(database, source, text)
    assert _usable(database, [old.id, new.id], "everyone") == [old.id]
    with database.write() as session:
        assert documents.serve_version(session, new.document_id, new.version, text) == (old.id,)
    assert _usable(database, [old.id, new.id], "everyone") == [new.id]


@pytest.mark.parametrize(
    ("audiences", "is_found"),
    [
        (("everyone",), False),
        (("channel:hr",), True),
        (("everyone", "channel:hr"), True),
        (("channel:h",), False),
        (("",), False),
        ((), False),
    ],
)
def test_a_passage_is_only_for_its_own_audience(
    database: Database, audiences: tuple[str, ...], is_found: bool
) -> None:
    (passage,), _ = _serve(database, _source(database, "channel:hr"), _text("Salaries"))
    assert bool(_usable(database, [passage.id], *audiences)) is is_found
    with database.read() as session:
        at_address = documents.passages_at(session, "leave.md", audiences)
    assert bool(at_address) is is_found


def test_a_withdrawn_document_is_gone_at_once_and_its_ids_are_never_used_again(
    database: Database,
) -> None:
    source = _source(database)
    (first,), _ = _serve(database, source, _text("18 weeks"))
    with database.write() as session:
        assert documents.withdraw(session, first.document_id) == (first.id,)
    assert _usable(database, [first.id], "everyone") == []
    (again,), _ = _serve(database, source, _text("18 weeks"))
    assert again.id != first.id
    assert again.document_id == first.document_id
    assert _usable(database, [first.id, again.id], "everyone") == [again.id]


def test_what_interrupted_work_wrote_is_found_and_can_be_dropped(database: Database) -> None:
    source = _source(database, "channel:hr")
    (served,), _ = _serve(database, source, _text("18 weeks"))
    (left,) = _write(database, source, _text("20 weeks"))
    with database.read() as session:
        found = documents.unserved_passages(session)
    assert [(p.id, p.audience) for p in found] == [(left.id, "channel:hr")]
    with database.write() as session:
        documents.drop_passages(session, [left.id])
    with database.read() as session:
        assert documents.unserved_passages(session) == ()
        assert documents.served_ids(session, "channel:hr") == {served.id}


def test_more_ids_than_a_statement_may_have_parameters_are_looked_up(database: Database) -> None:
    texts = [f"fact {n}" for n in range(1200)]
    passages, _ = _serve(database, _source(database), _text(*texts))
    ids = [p.id for p in passages]
    assert sorted(_usable(database, [*ids, *ids, "no such id"], "everyone")) == sorted(ids)
    with database.read() as session:
        assert documents.count_served(session) == (1, 1200)


def test_two_sources_may_have_a_document_at_the_same_address(database: Database) -> None:
    for audience in ("everyone", "channel:hr"):
        _serve(database, _source(database, audience), _text(f"for {audience}"))
    with database.read() as session:
        both = documents.passages_at(session, "leave.md", ["everyone", "channel:hr"])
        assert [p.text for p in both] == ["for everyone", "for channel:hr"]
        assert documents.all_audiences(session) == {"everyone", "channel:hr"}
