"""Somebody to be found in the tables, where some columns name people of their own workspace only.

Slack's ids hold within one workspace. Most columns name people of the home workspace, the first one
that was met, by their bare id and those of any other as `T2/U5`; but rows that belong to a
workspace anyway, such as questions and votes, have the bare id of either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from storage import workspaces
from storage.tables import AnswerRow, InboxRow, JobRow, OutboxRow, QuestionRow, Table


@dataclass(frozen=True)
class Person:
    """Somebody in a workspace.

    Attributes:
        id: What Slack calls them there.
        team: The id of their workspace; empty for the home one.
        far: The ids of all workspaces but the home one.
    """

    id: str
    team: str
    far: frozenset[str]

    @property
    def name(self) -> str:
        """How they are called where no workspace is given."""
        return self.named(self.id)

    def named(self, slack_id: str) -> str:
        """Return how somebody, or a channel, of their workspace is called there."""
        return f"{self.team}/{slack_id}" if self.team else slack_id

    def is_of(self, team_id: str | None) -> bool:
        """Whether a workspace is theirs; what has none belongs to the home one."""
        return team_id == self.team if self.team else (team_id or "") not in self.far

    def have(self, team_id: ColumnElement[str] | Any) -> ColumnElement[bool]:
        """Return what holds of rows whose workspace is theirs."""
        if self.team:
            return team_id == self.team
        return func.coalesce(team_id, "").not_in(sorted(self.far))


def find(session: Session, name: str) -> Person:
    """Return whom a name means: an id, or one with its workspace before it."""
    known = [each.team_id for each in workspaces.all_of_them(session)]
    team, slash, slack_id = name.rpartition("/")
    if not slash or not team.isalnum() or not team.startswith("T"):
        team, slack_id = "", name
    if known and team == known[0]:
        team = ""
    return Person(slack_id, team, frozenset(known[1:]))


def team_of_rows(table: Any) -> ColumnElement[Any] | None:
    """Return the workspace that rows of a table belong to, or None if they belong to none."""
    if "team_id" in table.c:
        return table.c.team_id  # type: ignore[no-any-return]
    return _TEAMS.get(table.name)


_columns = Table.metadata.tables
_of_answer = select(QuestionRow.team_id).join(AnswerRow)
_of_job = func.coalesce(
    select(InboxRow.team_id).where(InboxRow.id == JobRow.inbox_id).scalar_subquery(),
    JobRow.payload["team_id"].as_string(),
    select(QuestionRow.team_id)
    .where(QuestionRow.id == JobRow.payload["question_id"].as_integer())
    .scalar_subquery(),
)

_TEAMS: dict[str, ColumnElement[Any]] = {
    "answers": select(QuestionRow.team_id)
    .where(QuestionRow.id == _columns["answers"].c.question_id)
    .scalar_subquery(),
    "handovers": select(QuestionRow.team_id)
    .where(QuestionRow.id == _columns["handovers"].c.question_id)
    .scalar_subquery(),
    "votes": _of_answer.where(AnswerRow.id == _columns["votes"].c.answer_id).scalar_subquery(),
    "answer_sources": _of_answer.where(
        AnswerRow.id == _columns["answer_sources"].c.answer_id
    ).scalar_subquery(),
    "jobs": _of_job,
    "outbox": select(_of_job).where(JobRow.id == OutboxRow.job_id).scalar_subquery(),
}
