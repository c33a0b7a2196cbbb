"""The Slack workspaces the bot has been seen in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.tables import WorkspaceRow


@dataclass(frozen=True)
class SlackWorkspace:
    """A workspace and who the bot is in it."""

    team_id: str
    name: str
    bot_user_id: str


def remember(session: Session, workspace: SlackWorkspace) -> None:
    """Store a workspace, or what has changed about one."""
    row = session.scalar(select(WorkspaceRow).where(WorkspaceRow.team_id == workspace.team_id))
    if row is None:
        row = WorkspaceRow(team_id=workspace.team_id)
        session.add(row)
    row.name, row.bot_user_id, row.seen_at = workspace.name, workspace.bot_user_id, utc_now()


def all_of_them(session: Session) -> tuple[SlackWorkspace, ...]:
    """Return every workspace, in the order of first contact."""
    rows = session.scalars(select(WorkspaceRow).order_by(WorkspaceRow.id))
    return tuple(SlackWorkspace(row.team_id, row.name, row.bot_user_id) for row in rows)
