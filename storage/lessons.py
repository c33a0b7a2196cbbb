"""What a version has learned from each expert: kept in the audit, shown to the expert."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import audit
from storage.tables import AuditRow

_ACTION = "version.lesson"


@dataclass(frozen=True)
class Lesson:
    """How many of one person's corrections a version trained on, and answers so by itself."""

    version: str
    corrections: int
    answered_so: int


def record(session: Session, author: str, lesson: Lesson) -> None:
    """Keep what a version has learned from somebody."""
    audit.record(
        session,
        "evaluation",
        _ACTION,
        author,
        {
            "version": lesson.version,
            "corrections": lesson.corrections,
            "answered_so": lesson.answered_so,
        },
    )


def newest_of(session: Session, author: str) -> Lesson | None:
    """Return what the newest version has learned from somebody, if that was looked at."""
    row = session.scalar(
        select(AuditRow)
        .where(AuditRow.action == _ACTION, AuditRow.subject == author)
        .order_by(AuditRow.id.desc())
        .limit(1)
    )
    return None if row is None else Lesson(**row.details)
