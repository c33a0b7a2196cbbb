"""Retiring versions: which may go, and the record that one is gone. Its lineage stays for ever."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from storage import audit, versions
from storage.clock import utc_now
from storage.tables import CanaryRow, VersionRow
from storage.versions import Version


class RetireRefused(Exception):
    """The version stays; the message says why."""


def retire(session: Session, name: str, *, actor: str, reason: str) -> Version:
    """Write down that a version will never answer again; its files may be deleted after that.

    The row stays, and with it the run, the snapshot and the report.

    Args:
        session: A writing transaction.
        name: Which version: `v3`.
        actor: A Slack user id, `command line` or `upkeep`.
        reason: Why; required.

    Raises:
        PromotionRefused: there is no such version.
        RetireRefused: it is needed, it is gone already, or the reason is missing.
    """
    serving = versions.hold_serving(session)
    version = versions.by_name(session, name)
    if not reason.strip():
        raise RetireRefused(f"Say why {name} is retired; the reason is kept in the audit.")
    if version.is_base:
        raise RetireRefused("The base model is what everything falls back on; it stays.")
    if version.is_retired:
        raise RetireRefused(f"{name} was retired before.")
    if version.id == serving.version.id:
        raise RetireRefused(f"{name} answers now; let another version answer first.")
    if serving.previous is not None and version.id == serving.previous.id:
        raise RetireRefused(f"{name} is what a rollback goes back to; it stays until that changes.")
    if version.id in _on_trial(session):
        raise RetireRefused(f"{name} is part of a trial that goes on; end the trial first.")
    session.execute(
        update(VersionRow).where(VersionRow.id == version.id).values(retired_at=utc_now())
    )
    details = {"reason": reason, "gate": version.gate, "manifest": version.manifest_sha256}
    audit.record(session, actor, "version.retire", f"version {name}", details)
    return versions.by_id(session, version.id)


def beyond(session: Session, kept: int) -> tuple[Version, ...]:
    """Return the versions that are too many, oldest first.

    Args:
        session: A reading transaction.
        kept: How many versions beside the base may have files. The newest, the one that answers,
            the one before it and those on trial are never too many.
    """
    serving = versions.serving(session)
    kept_now = versions.having(
        session, VersionRow.folder.is_not(None), VersionRow.retired_at.is_(None)
    )
    needed = {serving.version.id, *_on_trial(session), *(each.id for each in kept_now[-1:])}
    if serving.previous is not None:
        needed.add(serving.previous.id)
    free = tuple(each for each in kept_now if each.id not in needed)
    return free[: max(len(kept_now) - kept, 0)]


def retired(session: Session) -> tuple[Version, ...]:
    """Return the versions that were retired, oldest first."""
    return versions.having(session, VersionRow.retired_at.is_not(None))


def _on_trial(session: Session) -> frozenset[int]:
    row = session.scalar(select(CanaryRow).where(CanaryRow.open_slot == 1))
    return frozenset() if row is None else frozenset((row.version_id, row.champion_id))
