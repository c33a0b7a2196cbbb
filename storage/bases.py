"""Which base model a version belongs to: an adapter on another base is no version at all."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import update
from sqlalchemy.orm import Session

from storage import versions
from storage.tables import VersionRow
from storage.versions import BaseIdentity


def without_base(session: Session) -> tuple[versions.Version, ...]:
    """Return the versions of which nobody has written down on what they were made."""
    return versions.having(session, VersionRow.base_sha256.is_(None))


def write_down(session: Session, base: BaseIdentity, version_ids: Collection[int]) -> None:
    """Say of versions on what base they were made; what is known already stays."""
    session.execute(
        update(VersionRow)
        .where(VersionRow.id.in_(version_ids), VersionRow.base_sha256.is_(None))
        .values(base_ref=base.ref, base_name=base.name, base_sha256=base.sha256)
    )


def moved(session: Session, base: BaseIdentity) -> None:
    """Write down that the settings call a base model something else than before."""
    session.execute(
        update(VersionRow)
        .where(VersionRow.base_sha256 == base.sha256)
        .values(base_ref=base.ref, base_name=base.name)
    )
