"""What a person wrote, wherever the tables have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, not_, or_, select
from sqlalchemy.orm import Session

from storage.person import Person
from storage.tables import (
    AnswerRow,
    AuditRow,
    InboxRow,
    PairConflictRow,
    PairHoldRow,
    PairRow,
    PassageRow,
    PromotionRow,
    QuestionRow,
)
from storage.traces import TAKEN_OUT

#: Rows looked at at once.
_AT_ONCE = 500


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


def written_by(session: Session, person: Person) -> Written:
    """Gather what a person wrote."""
    user_id = person.name
    is_theirs = and_(QuestionRow.user_id == person.id, person.have(QuestionRow.team_id))
    questions = session.execute(
        select(QuestionRow.id, QuestionRow.text, QuestionRow.channel, QuestionRow.place).where(
            is_theirs
        )
    ).all()
    asked = select(AnswerRow.id).join(QuestionRow).where(is_theirs)
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
    inbox: dict[int, list[str]] = dict(_deliveries(session, person))
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


def written_by_others(session: Session, written: Written, person: Person) -> Iterator[str]:
    """Yield the company's pages, and the questions and pairs of everybody else.

    What stands there is not this person's alone, although they may have quoted it.
    """
    others = not_(and_(QuestionRow.user_id == person.id, person.have(QuestionRow.team_id)))
    yield from session.scalars(select(PassageRow.text).execution_options(yield_per=_AT_ONCE))
    yield from session.scalars(select(QuestionRow.text).where(others))
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


def _deliveries(session: Session, person: Person) -> Iterator[tuple[int, list[str]]]:
    """Yield what Slack delivered because of the person, with the texts they typed."""
    rows = session.execute(
        select(InboxRow.id, InboxRow.payload)
        .where(person.have(InboxRow.team_id))
        .execution_options(yield_per=_AT_ONCE)
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
        if person.id in who:
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
