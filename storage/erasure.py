"""Taking a person out of the tables: what they wrote goes, their ids become a name for nobody.

Rows stay where something else rests on them (a question was asked, a pair was trained on), so that
counts and references hold. The pages that the company reads in are not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Column, String, select, update
from sqlalchemy.orm import Session

from storage import audit
from storage.database import Database
from storage.person import Person, team_of_rows
from storage.tables import (
    AnswerRow,
    AuditRow,
    InboxRow,
    JobRow,
    QuestionRow,
    Table,
)
from storage.traces import Traces
from storage.written import Written

#: Rows looked at in one transaction.
_AT_ONCE = 500

#: Tables of what the company wrote, of numbers and hashes, or (the audit log) done by itself.
_LEFT_ALONE = frozenset(
    """
    alembic_version audit documents pair_bands pair_groups passages serving
    serving_embedder snapshot_pairs snapshots sources workspaces
    """.split()
)

#: Columns in which everybody's own words stand, or the company's; a person's are taken out by
#: their rows.
_OWN_WORDS = frozenset(
    {
        ("answer_sources", "passage_id"),
        ("answer_sources", "uri"),
        ("answer_sources", "title"),
        ("answer_sources", "heading"),
        ("answer_sources", "text"),
        ("answer_sources", "link"),
        ("questions", "text"),
        ("pairs", "input"),
        ("pairs", "input_key"),
        ("pairs", "output"),
        ("pairs", "context"),
    }
)

#: Columns by which rows of the delivery protocol know each other.
_IDENTITIES = frozenset({("jobs", "state"), ("inbox", "kind"), ("jobs", "kind")})

#: As what the workspace that a row belongs to is read with it.
_TEAM = "team_of_row"

_GONE: dict[str, Any] = {"erased": True}


def erase_rows(session: Session, written: Written, stands_for: str) -> None:
    """Empty the person's questions, the answers to them and what Slack delivered, in one go.

    Pairs are erased by `storage.pairs.erase`; copies elsewhere are taken out by `sweep`.
    """
    for start in range(0, len(written.questions), _AT_ONCE):
        some = written.questions[start : start + _AT_ONCE]
        session.execute(
            update(QuestionRow)
            .where(QuestionRow.id.in_(some))
            .values(text="", user_id=stands_for)
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(AnswerRow)
            .where(AnswerRow.question_id.in_(some))
            .values(text="")
            .execution_options(synchronize_session=False)
        )
    for start in range(0, len(written.inbox), _AT_ONCE):
        some = written.inbox[start : start + _AT_ONCE]
        session.execute(update(InboxRow).where(InboxRow.id.in_(some)).values(payload=_GONE))
        session.execute(
            update(JobRow)
            .where(JobRow.inbox_id.in_(some), JobRow.state.in_(("ready", "running")))
            .values(state="failed", error="erased", attempt=JobRow.attempt + 1)
        )


@dataclass(frozen=True)
class Search:
    """What to look for of a person, by whose rows it is looked for in.

    Attributes:
        person: Whose.
        anywhere: In rows that belong to no workspace, and in files.
        own: In rows of the person's workspace, where their bare id is theirs.
        foreign: In rows of another one, where it is somebody else's.
    """

    person: Person
    anywhere: Traces
    own: Traces
    foreign: Traces

    def of(self, row: Mapping[str, Any]) -> Traces:
        """Return what to look for in a row."""
        if _TEAM not in row:
            return self.anywhere
        return self.own if self.person.is_of(row[_TEAM]) else self.foreign


def sweep(database: Database, search: Search) -> None:
    """Take copies out of all tables, some rows in each transaction; again, it changes nothing."""
    for name, columns, rows in _everything(database):
        for row in rows:
            wanted = search.of(row)
            found = {c.name: _taken_out(row[c.name], wanted) for c in columns}
            found = {
                c.name: _alone(c, found[c.name], row)
                for c in columns
                if found[c.name] != row[c.name]
            }
            if found:
                _write(database, name, row, found)
    with database.write() as session:
        records = audit.reseal(session, lambda details: _without_texts(details, search.anywhere))
        if records:
            audit.record(session, "erasure", "audit.reseal", "audit log", {"records": records})


def remaining(database: Database, search: Search) -> dict[str, int]:
    """Count the rows in which something of the person still stands, by table."""
    left: dict[str, int] = {}
    for name, columns, rows in _everything(database):
        for row in rows:
            wanted = search.of(row)
            if any(_holds(row[column.name], wanted) for column in columns):
                left[name] = left.get(name, 0) + 1
    with database.read() as session:
        logged: list[dict[str, Any]] = list(session.scalars(select(AuditRow.details)))
        for details in logged:
            if _without_texts(details, search.anywhere) != details:
                left["audit"] = left.get("audit", 0) + 1
    return left


def _everything(
    database: Database,
) -> Iterator[tuple[str, Sequence[Column[Any]], Iterator[Mapping[str, Any]]]]:
    """Yield each table's name, its columns that can hold words, and its rows with those."""
    for name, table in sorted(Table.metadata.tables.items()):
        keys = list(table.primary_key.columns)
        columns = [
            column
            for column in table.columns
            if isinstance(column.type, String | JSON)
            and (name, column.name) not in _OWN_WORDS | _IDENTITIES
            and column not in keys
        ]
        if name in _LEFT_ALONE or not columns or len(keys) != 1:
            continue
        yield name, columns, _rows(database, name, columns)


def _rows(
    database: Database, name: str, columns: Sequence[Column[Any]]
) -> Iterator[Mapping[str, Any]]:
    table = Table.metadata.tables[name]
    (key,) = table.primary_key.columns
    team = team_of_rows(table)
    of_team = () if team is None else (team.label(_TEAM),)
    last: Any = None
    while True:
        wanted = select(key, *columns, *of_team).order_by(key).limit(_AT_ONCE)
        if last is not None:
            wanted = wanted.where(key > last)
        with database.read() as session:
            found = [dict(row) for row in session.execute(wanted).mappings()]
        if not found:
            return
        yield from found
        last = found[-1][key.name]


def _write(
    database: Database, name: str, row: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    table = Table.metadata.tables[name]
    (key,) = table.primary_key.columns
    with database.write() as session:
        session.execute(update(table).where(key == row[key.name]).values(dict(values)))


def _taken_out(value: Any, traces: Traces) -> Any:
    if isinstance(value, str):
        return traces.taken_out_of(value)
    return traces.taken_out_of_json(value)


def _alone(column: Column[Any], value: Any, row: Mapping[str, Any]) -> Any:
    """Return what takes a value's place: where no two may be the same, with the row's number."""
    return f"{value} {row['id']}" if column.unique and isinstance(value, str) else value


def _holds(value: Any, traces: Traces) -> bool:
    return bool(_taken_out(value, traces) != value)


def _without_texts(details: Any, traces: Traces) -> Any:
    """The audit log keeps who did something, and loses what they wrote about it."""
    if isinstance(details, str):
        return traces.without_texts(details)
    if isinstance(details, list):
        return [_without_texts(each, traces) for each in details]
    if isinstance(details, dict):
        return {key: _without_texts(each, traces) for key, each in details.items()}
    return details
