"""What App Home is made of, read from SQL for one person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.retraining import Status
from bot.run_plan import Plan
from bot.teams import Teams, team_in
from storage import (
    answers,
    audit,
    by_workspace,
    choices,
    lessons,
    pair_conflicts,
    pairs,
    runs,
    snapshots,
    versions,
)
from storage.audit import AuditRecord
from storage.handovers import Handover
from storage.lessons import Lesson
from storage.overview import Day, Overview
from storage.pair_conflicts import Conflict
from storage.pairs import Pair
from storage.runs import Run
from storage.versions import Version
from training.evaluation.report import Report

#: How many of each are shown at once; the rest follows when these are done.
AT_ONCE = 4


@dataclass(frozen=True)
class Waiting:
    """A pair to be decided, with what it replaces and what it stands beside.

    Attributes:
        pair: The proposed pair.
        answered: What the bot had said, if the pair corrects it.
        beside: Approved pairs of the same group of questions: duplicates, or contradictions.
    """

    pair: Pair
    answered: str
    beside: tuple[Pair, ...]


@dataclass(frozen=True)
class Dispute:
    """Two pairs that cannot both be right."""

    conflict: Conflict
    older: Pair
    newer: Pair


@dataclass(frozen=True)
class ForExperts:
    """What experts see."""

    unanswered: tuple[Handover, ...]
    waiting: tuple[Waiting, ...]
    more_waiting: int
    disputes: tuple[Dispute, ...]
    to_review: tuple[Pair, ...]
    newest: tuple[Pair, ...]


@dataclass(frozen=True)
class Gap:
    """What people asked and the documents did not answer."""

    topic: str
    times: int


@dataclass(frozen=True)
class ForAdmins:
    """What admins see."""

    status: Status
    plan: Plan
    last_run: Run | None
    schedule: str
    days: tuple[Day, ...]
    plot_file: str
    gaps: tuple[Gap, ...]
    versions: tuple[tuple[Version, dict[str, float]], ...]
    strict: tuple[str, ...]
    audit: tuple[AuditRecord, ...]
    can_start: bool


@dataclass(frozen=True)
class Facts:
    """Everything that one person's Home shows."""

    company: str
    overview: Overview
    taught: Lesson | None
    experts: ForExperts | None
    admins: ForAdmins | None


#: Among how many pairs, contradictions and records those of one workspace are looked for.
_LOOKED_AT = 2_000


def team_of_pair(pair: Pair) -> str:
    """Return the workspace that a pair comes from; empty for the home one."""
    return team_in(pair.place or pair.author)


def team_of_conflict(session: Session, conflict_id: int) -> str:
    """Return the workspace in which a contradiction came up; empty for the home one."""
    found = {one.id: one.newer_id for one in pair_conflicts.waiting(session, _LOOKED_AT)}
    newer = found.get(conflict_id)
    return "" if newer is None else team_of_pair(pairs.get(session, newer))


def pairs_of(session: Session, state: str, team: str, limit: int) -> tuple[Pair, ...]:
    """Return the newest pairs of one workspace that are in a state."""
    found = pairs.listed(session, state, max(limit, _LOOKED_AT))
    return tuple(pair for pair in found if team_of_pair(pair) == team)[:limit]


def for_experts(session: Session, teams: Teams, team_id: str) -> ForExperts:
    """Read what experts see of their own workspace."""
    team = teams.far(team_id)
    proposed = pairs_of(session, "proposed", team, 500)
    waiting = []
    for pair in proposed[-AT_ONCE:]:
        answer = answers.get(session, pair.answer_id) if pair.answer_id else None
        waiting.append(Waiting(pair, answer.text if answer else "", beside(session, pair)))
    disputes = [
        Dispute(one, pairs.get(session, one.older_id), pairs.get(session, one.newer_id))
        for one in pair_conflicts.waiting(session, _LOOKED_AT)
    ]
    to_review = pairs.to_review(session, _LOOKED_AT)
    return ForExperts(
        unanswered=by_workspace.waiting(session, teams.ids_of(team_id), AT_ONCE),
        waiting=tuple(waiting),
        more_waiting=max(0, len(proposed) - AT_ONCE),
        disputes=tuple(one for one in disputes if team_of_pair(one.newer) == team)[:AT_ONCE],
        to_review=tuple(pair for pair in to_review if team_of_pair(pair) == team)[:AT_ONCE],
        newest=pairs_of(session, "approved", team, AT_ONCE),
    )


def beside(session: Session, pair: Pair) -> tuple[Pair, ...]:
    """Return the approved pairs that answer the same question, or one of the same group."""
    approved = pairs.approved(session, pair.audience)
    return tuple(other for other in approved if other.group_key == pair.group_key)[:2]


def strict_channels(session: Session, team_id: str) -> tuple[str, ...]:
    """Return the ids of the channels in which the bot answers only when it is mentioned."""
    prefix = f"channel {team_id}/"
    return tuple(
        scope.removeprefix(prefix)
        for scope in choices.scopes(session, "strict", "on")
        if scope.startswith(prefix)
    )


def versions_with_numbers(
    session: Session, limit: int = 6
) -> tuple[tuple[Version, dict[str, float]], ...]:
    """Return the newest versions, each with what its run measured, by the measure's name."""
    return tuple(
        (version, _measured(runs.find(session, version.run_id or 0)))
        for version in versions.listed(session, limit)
    )


def _measured(run: Run | None) -> dict[str, float]:
    if run is None or run.report is None:
        return {}
    try:
        scores = Report.from_json(run.report["report"]).challenger
    except (KeyError, TypeError):
        return {}  # a report of an older form
    return {name: interval.mean for name, interval in scores.measures.items()}


def newest_audit(session: Session, team: str, limit: int = 8) -> tuple[AuditRecord, ...]:
    """Return the newest records of the audit that tell of one workspace (empty: the home one)."""
    found = audit.latest(session, _LOOKED_AT)
    return tuple(record for record in found if _team_of_record(session, record) == team)[:limit]


def _team_of_record(session: Session, record: AuditRecord) -> str:
    """Return the workspace of what was done, else of who did it."""
    kind, _, which = record.subject.partition(" ")
    if kind == "pair" and which.isdigit():
        found = pairs.by_ids(session, [int(which)])
        return team_of_pair(found[0]) if found else team_in(record.actor)
    return team_in(which) or team_in(record.subject) or team_in(record.actor)


def taught(session: Session, user_id: str) -> Lesson | None:
    """Return what the newest version has learned from somebody."""
    return lessons.newest_of(session, user_id)


def corrections_in(session: Session, author: str, snapshot_id: int) -> tuple[Pair, ...]:
    """Return somebody's pairs that a snapshot trained on."""
    trained = pairs.by_ids(session, snapshots.pair_ids(session, snapshot_id, "train"))
    return tuple(pair for pair in trained if pair.author == author and pair.origin == "slack")
