"""Erasing a person whose id and words stand in every column that can hold them.

Rows are written column by column, whatever the table: a new table or column is filled, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Column, String, insert

from storage import audit, pair_ledger, workspaces
from storage.database import Database
from storage.tables import Table
from storage.workspaces import SlackWorkspace
from tests.bot.erasing_stage import BO, BOSS, EVA, Office, opened_office

HOME, AWAY, THIRD = "T1HOME", "T2AWAY", "T3THIRD"

#: What the company wrote, numbers and hashes: nobody's words or ids get there.
COMPANY = frozenset(
    """
    workspaces documents passages sources pair_groups pair_bands snapshots snapshot_pairs serving
    serving_embedder
    """.split()
)
#: The log of who did what keeps ids, and loses words.
AUDIT = "audit"

#: Columns that name people and channels of the workspace that their row belongs to.
BARE_PEOPLE = {"questions.user_id", "votes.user_id", "stops.user_id", "handovers.asked_by",
               "handovers.answered_by"}  # fmt: skip
BARE_CHANNELS = {"questions.channel", "answers.channel", "stops.channel", "outbox.channel",
                 "canary_threads.channel"}  # fmt: skip
NAMED_CHANNELS = {"answer_sources.audience", "pairs.audience", "pairs.place"}
FIXED: dict[str, Any] = {
    "questions.place": "dm", "jobs.state": "done", "jobs.kind": "refresh_answer",
    "inbox.kind": "event", "runs.state": "passed", "pairs.state": "approved",
    "pair_groups.split": "train", "answer_sources.passage_id": "p", "answer_sources.uri": "a.md",
    "answer_sources.title": "A", "answer_sources.heading": "A", "answer_sources.link": None,
    "answer_sources.text": "The page.", "answers.model_version": "base",
}  # fmt: skip

_MOMENT = datetime(2026, 11, 1, tzinfo=UTC)


class Someone:
    """A person with an id, a channel of direct messages and words of their own."""

    def __init__(self, team: str, bare: str, words: str) -> None:
        self.team, self.bare, self.words = team, bare, words
        self.channel = f"D{bare[1:]}"
        self.name = self.named(bare)

    def named(self, slack_id: str) -> str:
        return slack_id if self.team == HOME else f"{self.team}/{slack_id}"


def _fill(database: Database, who: Someone) -> None:
    """Write a row with the person in each column of each table."""
    keys: dict[str, Any] = {}
    with database.write() as session:
        for table in Table.metadata.sorted_tables:
            is_company = table.name in COMPANY and table.name != "pair_groups"
            if is_company or table.name == AUDIT:
                continue
            values = {
                column.name: _value(f"{table.name}.{column.name}", column, who, keys)
                for column in table.columns
                if not column.primary_key
            }
            made = session.execute(insert(table).values(values))
            assert made.inserted_primary_key is not None
            keys[table.name] = made.inserted_primary_key[0]
        audit.record(session, who.name, "pair.note", "pair 1", {"reason": who.words})


def _value(at: str, column: Column[Any], who: Someone, keys: dict[str, Any]) -> Any:
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return keys.get(key.column.table.name)
    if at in FIXED:
        return FIXED[at]
    if isinstance(column.type, JSON):
        return _object(column.table.name, who)
    if isinstance(column.type, String):
        return _text(at, column, who)
    if column.nullable:
        return None
    return {bool: False, float: 0.0, int: 1}.get(column.type.python_type, _MOMENT)


def _object(table: str, who: Someone) -> dict[str, Any]:
    if table in ("inbox", "jobs"):
        return {"user": {"id": who.bare}, "team_id": who.team, "text": who.words}
    called = who.bare if table == "handovers" else who.name
    return {"by": called, who.words: [f"<@{called}>: {who.words}"]}


def _text(at: str, column: Column[Any], who: Someone) -> str:
    exactly = {"pairs.author": who.name, "pair_groups.key": f"{who.name}'s group"}
    exactly |= dict.fromkeys(BARE_PEOPLE, who.bare) | dict.fromkeys(BARE_CHANNELS, who.channel)
    exactly |= dict.fromkeys(NAMED_CHANNELS, who.named(who.channel))
    if column.name == "team_id":
        return who.team
    is_bare = column.table.name in ("jobs", "inbox", "outbox", "stops", "canary_threads")
    called = who.bare if is_bare else who.name
    return exactly.get(at, f"<@{called}> in {column.name}: {who.words}")


def _rows_with(database: Database, *marks: str) -> dict[str, list[str]]:
    """Return the rows in which one of the marks stands, by table."""
    found: dict[str, list[str]] = {}
    with database.read() as session:
        for table in Table.metadata.sorted_tables:
            for row in session.execute(table.select()):
                text = json.dumps(list(row), default=str, ensure_ascii=False)
                if any(mark in text for mark in marks):
                    found.setdefault(table.name, []).append(text)
    return found


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    with database.write() as session:
        for team in (HOME, AWAY, THIRD):
            workspaces.remember(session, SlackWorkspace(team, team.title(), "U0BOT"))
    with opened_office(database, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("team", [HOME, AWAY])
def test_no_column_of_any_table_keeps_an_erased_person(
    office: Office, tmp_path: Path, team: str
) -> None:
    ada = Someone(team, "U0ADA", "My wombat Kjell wants a hammock in the archive, is that allowed?")
    _fill(office.database, ada)
    log = office.home.logs / "old.log"
    log.write_text(f"answered question=7 user={ada.bare} team={team}\n{ada.words}\n")
    record = office.home.runs / "runs" / "9" / "report.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"said": ada.words, "by": ada.name}))
    office.learning.reconcile()  # into Chroma
    marks = (ada.bare, ada.channel, "wombat", "hammock")
    tables = set(Table.metadata.tables)
    assert set(_rows_with(office.database, *marks)) >= tables - COMPANY
    report = office.erasing.run(ada.name, BOSS, is_dry=False)
    assert report.left == {}
    left = _rows_with(office.database, *marks)
    assert set(left) - {"pair_groups"} == {AUDIT}
    assert not any(word in row for row in left[AUDIT] for word in ("wombat", "hammock"))
    for path in tmp_path.rglob("*"):
        if path.is_file() and "postgres" not in str(path) and path.parent != office.home.erasures:
            content = path.read_bytes()
            assert b"wombat" not in content, path
            assert path.name.startswith("skredder.db") or ada.bare.encode() not in content, path
    with office.database.read() as session:
        assert audit.first_broken(session) is None


@pytest.mark.parametrize("team", [HOME, AWAY])
def test_whoever_has_the_same_id_in_another_workspace_keeps_every_row(
    office: Office, team: str
) -> None:
    """Slack's ids hold within one workspace."""
    people = {
        each: Someone(each, "U0ADA", f"The {animal} of {each} would like a hammock by the window.")
        for each, animal in ((HOME, "heron"), (AWAY, "wombat"), (THIRD, "lemur"))
    }
    for one in people.values():
        _fill(office.database, one)
    others = [one for one in people.values() if one.team != team]
    before = [_rows_with(office.database, one.words[:20]) for one in others]
    assert all(len(rows) > 15 for rows in before)
    office.erasing.run(people[team].name, BOSS, is_dry=False)
    after = [_rows_with(office.database, one.words[:20]) for one in others]
    for rows in (*before, *after):
        del rows[AUDIT]  # it is sealed anew
    assert after == before
    assert set(_rows_with(office.database, people[team].words[:20])) == set()


def test_the_home_workspace_s_id_before_somebody_s_changes_nothing(office: Office) -> None:
    report = office.erasing.run(f"{HOME}/{EVA}", BOSS, is_dry=False)
    assert (report.user, report.is_gone, report.questions) == (EVA, True, 1)


def test_the_pairs_add_up_by_the_audit_log_after_an_erasure(office: Office) -> None:
    with office.database.read() as session:
        assert pair_ledger.differences(session) == ()
        before = pair_ledger.count(session)
    for who in (EVA, BO):
        office.erasing.run(who, BOSS, is_dry=False)
    with office.database.read() as session:
        assert pair_ledger.differences(session) == ()
        after = pair_ledger.count(session)
    assert (before.by_state["approved"], after.by_state["approved"]) == (3, 0)
    assert (after.erased, after.train + after.held_out) == (3, 0)
