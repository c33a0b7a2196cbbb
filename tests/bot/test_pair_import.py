"""Thousands of pairs in one file: each is stored once, whatever happens on the way."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from bot.corrections import Corrections
from bot.near_questions import NearQuestions
from bot.pair_checks import PairChecks
from bot.pair_import import BATCH, PairImport
from bot.permissions import Permissions
from bot.settings import People
from knowledge.embedder import MiniLmEmbedder
from knowledge.grounding.reading import Ground
from knowledge.near_questions import QuestionLikeness
from knowledge.readers import read_page
from storage import audit, pair_ledger, pairs
from storage.database import Database
from storage.pairs import HELD_OUT_SHARE, PairSource
from tests.benchmarks.many_pairs import write_many_pairs
from training.prompt import Voice

HANDBOOK = Path(__file__).parents[2] / "bot" / "demo" / "company" / "handbook"

#: All 5,000 that a tuned model needs take a minute.
IS_LONG = bool(os.environ.get("SKREDDER_LONG"))
WANTED = 5000 if IS_LONG else 400


class Stopped(Exception):
    """The process was killed here."""


@pytest.fixture
def importing(database: Database, tmp_path_factory: pytest.TempPathFactory) -> PairImport:
    pages: dict[str, Ground] = {}

    def find(source: PairSource, _audience: str) -> Ground | None:
        if source.uri not in pages:
            page = read_page((HANDBOOK / source.uri).read_bytes(), source.uri)
            pages[source.uri] = Ground(page.title, page.text)
        return pages[source.uri]

    checks = PairChecks(database, voice=Voice(), find_text=find)
    embedder = MiniLmEmbedder(tmp_path_factory.getbasetemp() / "embedder")
    near = NearQuestions(QuestionLikeness(embedder))
    permissions = Permissions(People())
    corrections = Corrections(database, permissions, HELD_OUT_SHARE, checks.examine, near=near)
    return PairImport(database, corrections)


def _books(database: Database) -> tuple[Any, ...]:
    with database.read() as session:
        assert pair_ledger.differences(session) == ()
        assert audit.first_broken(session) is None
        return pair_ledger.count(session), audit.latest(session, 1)[0].id


@pytest.mark.timeout(1800)
def test_a_large_file_imported_twice_and_once_only_half_stores_each_pair_once(
    database: Database, importing: PairImport, tmp_path: Path
) -> None:
    file = tmp_path / "many.jsonl"
    write_many_pairs(file, WANTED)

    def stop_halfway(told: dict[str, Any]) -> None:
        if told["done"] >= WANTED // 2:
            raise Stopped

    with pytest.raises(Stopped):
        importing.run(file, actor="U9", approve=True, on_progress=stop_halfway)
    began = time.perf_counter()
    report = importing.run(file, actor="U9", approve=True)
    print(f"{report.added} in {time.perf_counter() - began:.1f} s")
    assert report.added == WANTED - (WANTED // 2 + BATCH - 1) // BATCH * BATCH
    first = _books(database)
    assert first[0].by_state["approved"] == WANTED
    again = importing.run(file, actor="U9", approve=True)
    assert (again.added, again.known, again.held) == (0, WANTED, 0)
    assert _books(database) == first


def test_one_question_from_one_place_is_one_group_and_from_two_it_is_two(
    database: Database, importing: PairImport, tmp_path: Path
) -> None:
    file = tmp_path / "few.jsonl"
    rows = [
        "Where do I park? I work in Bergen.",
        "Hi! Where do I park? I work in Bergen.",
        "Where do I park? I work in Voss.",
    ]
    file.write_text("\n".join(f'{{"input": "{row}", "output": "In the yard."}}' for row in rows))
    importing.run(file, actor="U9", approve=False)
    with database.read() as session:
        voss, too, bergen = pairs.listed(session)
    assert bergen.group_key == too.group_key
    assert voss.group_key != bergen.group_key


def test_pairs_that_wait_are_approved_when_their_file_comes_again_approved_and_no_others(
    database: Database, tmp_path: Path
) -> None:
    corrections = Corrections(database, Permissions(People()), HELD_OUT_SHARE)
    importing = PairImport(database, corrections)
    file = tmp_path / "waiting.jsonl"
    rows = ["Where do I park?", "Who mends the kayak?", "Where do I park?"]
    file.write_text("\n".join(f'{{"input": "{row}", "output": "In the yard."}}' for row in rows))
    proposed = importing.run(file, actor="U9", approve=False)
    assert (proposed.added, proposed.known) == (2, 1)
    with database.write() as session:
        kayak, parking = pairs.listed(session)
        pairs.reject(session, kayak.id, "U1")
    approved = importing.run(file, actor="U2", approve=True)
    assert (approved.added, approved.known, approved.held) == (0, 3, 0)
    with database.read() as session:
        assert pairs.get(session, parking.id).state == "approved"
        assert pairs.get(session, parking.id).decided_by == "U2"
        assert pairs.get(session, kayak.id).state == "rejected"
        assert pair_ledger.differences(session) == ()
