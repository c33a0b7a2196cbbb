"""Lessons: whenever a version begins to answer, those who taught it are to be told, once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.teams import team_in
from storage import jobs, pairs, runs, snapshots, versions


def owe_lessons(session: Session, version_id: int) -> None:
    """Have every expert told whose corrections a version was trained on.

    It belongs into the transaction that promotes the version, whoever promotes it: then nobody
    is forgotten. A second promotion of the same version owes nobody anything.

    Args:
        session: A writing transaction.
        version_id: The version that answers from now on.
    """
    run_id = versions.by_id(session, version_id).run_id
    snapshot_id = None if run_id is None else runs.get(session, run_id).snapshot_id
    if snapshot_id is None:
        return
    trained = pairs.by_ids(session, snapshots.pair_ids(session, snapshot_id, "train"))
    authors = {pair.author for pair in trained if pair.origin == "slack"}
    for author in sorted(author for author in authors if author.isupper()):
        lesson = {"run_id": run_id, "author": author, "team_id": team_in(author)}
        jobs.enqueue(session, "tell_lesson", lesson, key=f"lesson:{run_id}:{author}")
