"""Taking a person out of the tables: what they wrote goes, their ids become a name for nobody.

Rows stay where something else rests on them (a question was asked, a pair was trained on), so that
counts and references hold. The pages that the company reads in are not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Column, String, or_, select, update
from sqlalchemy.orm import Session

from storage import audit
from storage.database import Database
from storage.tables import (
    AnswerRow,
    AuditRow,
    InboxRow,
    JobRow,
    PairConflictRow,
    PairHoldRow,
    PairRow,
    PassageRow,
    PromotionRow,
    QuestionRow,
    Table,
)
from storage.traces import TAKEN_OUT, Traces

#: Rows looked at in one transaction.
_AT_ONCE = 500

#: Tables of what the company wrote, of numbers and hashes, or (the audit log) done by itself.
_LEFT_ALONE = frozenset(
    """
    alembic_version answer_sources audit documents pair_bands pair_groups passages serving
    serving_embedder snapshot_pairs snapshots sources workspaces
    """.split()
)

#: Columns in which everybody's own words stand; a person's are taken out by their rows.
_OWN_WORDS = frozenset(
    {
        ("questions", "text"),
        ("pairs", "input"),
        ("pairs", "input_key"),
        ("pairs", "output"),
        ("pairs", "context"),
    }
)

#: Columns by which rows of the delivery protocol know each other.
_IDENTITIES = frozenset({("jobs", "state"), ("inbox", "kind"), ("jobs", "kind")})

_GONE: dict[str, Any] = {"erased": True}


@dataclass(frozen=True)
class Written:
    """What a person wrote, and where.

    Attributes:
        texts: Everything, in any order.
        questions: The ids of the questions they asked.
        pairs: The ids of the pairs whose answer they wrote, or that were made of such a one.
        asked_pairs: The ids of other pairs, whose question they asked.
        inbox: The ids of deliveries from Slack that they caused.
        direct_messages: The ids of their direct messages with the bot.
    """

    texts: tuple[str, ...]
    questions: tuple[int, ...]
    pairs: tuple[int, ...]
    asked_pairs: tuple[int, ...]
    inbox: tuple[int, ...]
    direct_messages: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing of this person is known."""
        return not (self.texts or self.questions or self.pairs or self.asked_pairs or self.inbox)

    def __or__(self, other: Written) -> Written:
        """Return what stands in either: what was gathered before, and what is there now."""
        pairs = {*self.pairs, *other.pairs}
        return Written(
            texts=tuple(dict.fromkeys((*self.texts, *other.texts))),
            questions=tuple(sorted({*self.questions, *other.questions})),
            pairs=tuple(sorted(pairs)),
            asked_pairs=tuple(sorted({*self.asked_pairs, *other.asked_pairs} - pairs)),
            inbox=tuple(sorted({*self.inbox, *other.inbox})),
            direct_messages=tuple(sorted({*self.direct_messages, *other.direct_messages})),
        )


def written_by(session: Session, user_id: str) -> Written:
    """Gather what a person wrote."""
    questions = session.execute(
        select(QuestionRow.id, QuestionRow.text, QuestionRow.channel, QuestionRow.place).where(
            QuestionRow.user_id == user_id
        )
    ).all()
    asked = select(AnswerRow.id).join(QuestionRow).where(QuestionRow.user_id == user_id)
    pairs = session.scalars(select(PairRow).where(PairRow.author == user_id)).all()
    theirs = _made_of(session, [pair.id for pair in pairs])
    asked_pairs = session.scalars(
        select(PairRow).where(
            PairRow.id.not_in(theirs),
            PairRow.erased_at.is_(None),
            or_(
                PairRow.answer_id.in_(asked),
                PairRow.asked_by == user_id,
                PairRow.reason.like(f"%{asked_by(user_id)}%"),
            ),
        )
    ).all()
    inbox: dict[int, list[str]] = dict(_deliveries(session, user_id))
    texts = [
        *(text for _, text, _, _ in questions),
        *(text for pair in pairs for text in (pair.input, pair.output, pair.context, pair.reason)),
        *(pair.input for pair in asked_pairs),
        *(text for texts in inbox.values() for text in texts),
        *_reasons(session, user_id),
    ]
    return Written(
        texts=tuple(dict.fromkeys(part for text in texts for part in _parts(text))),
        questions=tuple(question_id for question_id, _, _, _ in questions),
        pairs=tuple(sorted(theirs)),
        asked_pairs=tuple(sorted(pair.id for pair in asked_pairs)),
        inbox=tuple(sorted(inbox)),
        direct_messages=tuple(sorted({c for _, _, c, place in questions if place == "dm"})),
    )


def _made_of(session: Session, pair_ids: Iterable[int]) -> set[int]:
    """Return the ids of pairs with those of all that were made of their words, by whomever."""
    found = set(pair_ids)
    fresh = sorted(found)
    while fresh:
        some, fresh = fresh[:_AT_ONCE], fresh[_AT_ONCE:]
        made = select(PairRow.id).where(
            PairRow.derived_from_id.in_(some), PairRow.erased_at.is_(None)
        )
        new = set(session.scalars(made)) - found
        found |= new
        fresh += sorted(new)
    return found


def _parts(text: str | None) -> Iterator[str]:
    """Yield what stands beside what was taken out of a text before."""
    yield from (part for part in (text or "").split(TAKEN_OUT) if part.strip())


def asked_by(user_id: str) -> str:
    """Return how a pair's reason names the person whose question it is, when no answer does."""
    return f"Asked by <@{user_id}>"


def written_by_others(session: Session, written: Written, user_id: str) -> Iterator[str]:
    """Yield the company's pages, and the questions and pairs of everybody else.

    What stands there is not this person's alone, although they may have quoted it.
    """
    yield from session.scalars(select(PassageRow.text).execution_options(yield_per=_AT_ONCE))
    yield from session.scalars(select(QuestionRow.text).where(QuestionRow.user_id != user_id))
    own = {*written.pairs, *written.asked_pairs}
    for pair_id, asked, answered in session.execute(
        select(PairRow.id, PairRow.input, PairRow.output)
    ):
        if pair_id not in own:
            yield asked
        if pair_id not in written.pairs:
            yield answered


def emptied_of_others(session: Session, written: Written) -> tuple[str, ...]:
    """Return what others wrote and the erasure empties: the answers in pairs of their questions.

    The rest of what `written_by_others` yields can be asked for afterwards, too.
    """
    found: list[str] = []
    for start in range(0, len(written.asked_pairs), _AT_ONCE):
        some = written.asked_pairs[start : start + _AT_ONCE]
        found += session.scalars(select(PairRow.output).where(PairRow.id.in_(some)))
    return tuple(text for text in dict.fromkeys(found) if text)


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


def sweep(database: Database, traces: Traces) -> None:
    """Take copies out of all tables, some rows in each transaction; again, it changes nothing."""
    for name, columns, rows in _everything(database):
        for row in rows:
            found = {c.name: _taken_out(row[c.name], traces) for c in columns}
            found = {key: value for key, value in found.items() if value != row[key]}
            if found:
                _write(database, name, row, found)
    with database.write() as session:
        records = audit.reseal(session, lambda details: _without_texts(details, traces))
        if records:
            audit.record(session, "erasure", "audit.reseal", "audit log", {"records": records})


def remaining(database: Database, traces: Traces) -> dict[str, int]:
    """Count the rows in which something of the person still stands, by table."""
    left: dict[str, int] = {}
    for name, columns, rows in _everything(database):
        for row in rows:
            if any(_holds(row[column.name], traces) for column in columns):
                left[name] = left.get(name, 0) + 1
    with database.read() as session:
        logged: list[dict[str, Any]] = list(session.scalars(select(AuditRow.details)))
        for details in logged:
            if _without_texts(details, traces) != details:
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
    (key,) = Table.metadata.tables[name].primary_key.columns
    last: Any = None
    while True:
        wanted = select(key, *columns).order_by(key).limit(_AT_ONCE)
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


def _deliveries(session: Session, user_id: str) -> Iterator[tuple[int, list[str]]]:
    """Yield what Slack delivered because of the person, with the texts they typed."""
    rows = session.execute(
        select(InboxRow.id, InboxRow.payload).execution_options(yield_per=_AT_ONCE)
    )
    for row in rows:
        payload = _object(row.payload)
        event, user = _object(payload.get("event")), payload.get("user")
        who = {
            user.get("id") if isinstance(user, dict) else user,
            payload.get("user_id"),
            event.get("user"),
            _object(event.get("message")).get("user"),
        }
        if user_id in who:
            typed = [payload.get("text"), event.get("text"), *_typed(payload.get("view"))]
            yield int(row.id), [str(text) for text in typed if text]


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _typed(view: Any) -> Iterator[str]:
    """Yield what was typed into a form."""
    for block in _object(_object(_object(view).get("state")).get("values")).values():
        for element in _object(block).values():
            if isinstance(_object(element).get("value"), str):
                yield element["value"]


def _reasons(session: Session, user_id: str) -> Iterator[str]:
    """Yield the reasons a person gave for decisions."""
    for wanted in (
        select(PairRow.decision_reason).where(PairRow.decided_by == user_id),
        select(PairHoldRow.release_reason).where(PairHoldRow.released_by == user_id),
        select(PairConflictRow.decision_reason).where(PairConflictRow.decided_by == user_id),
        select(PromotionRow.reason).where(PromotionRow.actor == user_id),
    ):
        yield from (reason for reason in session.scalars(wanted) if reason)
    logged: Iterable[dict[str, Any]] = session.scalars(
        select(AuditRow.details).where(AuditRow.actor == user_id)
    )
    for details in logged:
        if isinstance(details.get("reason"), str):
            yield details["reason"]
