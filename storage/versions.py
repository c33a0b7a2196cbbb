"""Versions: models that can answer, the gate they passed, and the one that answers now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from storage import audit
from storage.clock import utc_now
from storage.insertion import insert_once, rows_changed
from storage.tables import PromotionRow, RunRow, ServingRow, VersionRow

#: Name of the version that is the base model as it came.
BASE = "base"

#: What names of other base models as they came begin with.
UNTUNED = "base-"

_SERVING_ID = 1


def is_untuned(name: str) -> bool:
    """Whether a version of this name is a base model as it came, which knows no voice."""
    return name == BASE or name.startswith(UNTUNED)


class PromotionRefused(Exception):
    """The version may not answer, or the champion has changed meanwhile; the message says why."""


@dataclass(frozen=True)
class BaseIdentity:
    """What a base model is known by.

    Attributes:
        ref: What the settings call it: `bundled`, a folder, or a hub model's id.
        name: What people call it.
        sha256: SHA-256 of its weights.
    """

    ref: str
    name: str
    sha256: str


@dataclass(frozen=True)
class Version:
    """A model that can answer: the base, or the base with an adapter."""

    id: int
    name: str
    run_id: int | None
    folder: str | None
    manifest_sha256: str | None
    gate: str
    created_at: datetime
    retired_at: datetime | None = None
    #: The base model it belongs to; None where it was made before that was written down.
    base_ref: str | None = None
    base_name: str | None = None
    base_sha256: str | None = None

    @property
    def is_base(self) -> bool:
        """Whether this is the base model without an adapter."""
        return self.folder is None

    @property
    def base(self) -> BaseIdentity | None:
        """The base model that it belongs to, if that is known."""
        if self.base_ref is None or self.base_name is None or self.base_sha256 is None:
            return None
        return BaseIdentity(self.base_ref, self.base_name, self.base_sha256)

    @property
    def is_retired(self) -> bool:
        """Whether it was given up for good, its files with it."""
        return self.retired_at is not None

    @property
    def may_answer(self) -> bool:
        """Whether the gate was passed, or overridden by an admin, and it was not retired since."""
        return self.gate in ("passed", "overridden") and not self.is_retired

    @property
    def standing(self) -> str:
        """What the gate says of it, or `retired`."""
        return "retired" if self.is_retired else self.gate


@dataclass(frozen=True)
class Serving:
    """The version that answers now. `revision` grows by one with every change."""

    version: Version
    previous: Version | None
    revision: int
    changed_at: datetime


@dataclass(frozen=True)
class Promotion:
    """A change of champion: who, when, why."""

    id: int
    version: str
    previous: str | None
    kind: str
    actor: str
    reason: str
    created_at: datetime


def ensure_base(session: Session) -> Serving:
    """Make the base model a version, and let it answer if nothing does yet."""
    now = utc_now()
    insert_once(
        session,
        VersionRow,
        name=BASE,
        run_id=None,
        folder=None,
        manifest_sha256=None,
        gate="passed",
        created_at=now,
    )
    base = by_name(session, BASE)
    insert_once(
        session,
        ServingRow,
        id=_SERVING_ID,
        version_id=base.id,
        previous_version_id=None,
        revision=0,
        changed_at=now,
    )
    return serving(session)


def register(
    session: Session,
    name: str,
    *,
    run_id: int,
    folder: str | None,
    manifest_sha256: str | None,
    base: BaseIdentity | None = None,
) -> Version:
    """Store a new version as a candidate; the same run a second time stores nothing.

    Args:
        session: A writing transaction.
        name: What it is called, for people: `v3`.
        run_id: The run that made it.
        folder: Where its files lie; None for a base model as it came.
        manifest_sha256: SHA-256 of the manifest of its files, if it has any.
        base: The base model it belongs to.
    """
    insert_once(
        session,
        VersionRow,
        name=name,
        run_id=run_id,
        folder=folder,
        manifest_sha256=manifest_sha256,
        gate="candidate",
        created_at=utc_now(),
        base_ref=None if base is None else base.ref,
        base_name=None if base is None else base.name,
        base_sha256=None if base is None else base.sha256,
    )
    return _version(session.scalars(select(VersionRow).where(VersionRow.run_id == run_id)).one())


def judge(session: Session, version_id: int, gate: Literal["passed", "refused"]) -> Version:
    """Write down the gate's decision about a candidate; an override stands."""
    session.execute(
        update(VersionRow)
        .where(VersionRow.id == version_id, VersionRow.gate.in_(("candidate", gate)))
        .values(gate=gate)
    )
    return by_id(session, version_id)


def serving(session: Session) -> Serving:
    """Return the version that answers. Raises `PromotionRefused` before `ensure_base`."""
    row = session.get(ServingRow, _SERVING_ID, populate_existing=True)
    if row is None:
        raise PromotionRefused("No version answers yet; start the bot once.")
    previous = row.previous_version_id
    return Serving(
        version=by_id(session, row.version_id),
        previous=None if previous is None else by_id(session, previous),
        revision=row.revision,
        changed_at=row.changed_at,
    )


def promote(
    session: Session,
    version_id: int,
    *,
    expected_revision: int,
    actor: str,
    reason: str,
    kind: Literal["promote", "override"] = "promote",
) -> Serving:
    """Let a version answer, in one compare-and-swap.

    Args:
        session: A writing transaction.
        version_id: The version to answer from now on.
        expected_revision: `Serving.revision` as the caller saw it.
        actor: A Slack user id, `command line` or `schedule`.
        reason: Why; required for an override.
        kind: `override` lets a version answer that the gate refused.

    Raises:
        PromotionRefused: the gate was not passed, the reason is missing, or somebody else
            changed the champion since.
    """
    version = by_id(session, version_id)
    refuse_retired(version)
    if kind == "override":
        if not reason.strip():
            raise PromotionRefused(
                f"Version {version.name} was not passed by the gate; to let it answer anyway, "
                "write down why."
            )
        if not version.may_answer:
            session.execute(
                update(VersionRow).where(VersionRow.id == version_id).values(gate="overridden")
            )
    elif not version.may_answer:
        raise PromotionRefused(
            f"Version {version.name} may not answer: the gate says {version.gate}. "
            "An admin can override that with a written reason."
        )
    return _swap(
        session,
        version_id,
        expected_revision=expected_revision,
        kind=kind,
        actor=actor,
        reason=reason,
    )


def rollback(session: Session, actor: str, reason: str) -> Serving:
    """Let the version answer that answered before; from the base there is no way back.

    Raises:
        PromotionRefused: there is nothing to go back to.
    """
    now = serving(session)
    if now.previous is None:
        raise PromotionRefused(f"{now.version.name} has no predecessor to go back to.")
    return _swap(
        session,
        now.previous.id,
        expected_revision=now.revision,
        kind="rollback",
        actor=actor,
        reason=reason,
    )


def promotions(session: Session, limit: int = 20) -> tuple[Promotion, ...]:
    """Return the newest changes of champion first."""
    rows = session.scalars(select(PromotionRow).order_by(PromotionRow.id.desc()).limit(limit))
    return tuple(
        Promotion(
            id=row.id,
            version=by_id(session, row.version_id).name,
            previous=(
                None
                if row.previous_version_id is None
                else by_id(session, row.previous_version_id).name
            ),
            kind=row.kind,
            actor=row.actor,
            reason=row.reason,
            created_at=row.created_at,
        )
        for row in rows
    )


def by_id(session: Session, version_id: int) -> Version:
    """Return one version. Raises `PromotionRefused` when there is none with this id."""
    row = session.get(VersionRow, version_id, populate_existing=True)
    if row is None:
        raise PromotionRefused(f"There is no version with the number {version_id}.")
    return _version(row)


def by_name(session: Session, name: str) -> Version:
    """Return one version. Raises `PromotionRefused` when there is none of this name."""
    row = session.scalar(select(VersionRow).where(VersionRow.name == name))
    if row is None:
        raise PromotionRefused(
            f"There is no version {name!r}. `skredder train list` shows those there are."
        )
    return _version(row)


def kept_by_name(session: Session, name: str) -> Version:
    """Return a version that can still be opened.

    Raises:
        PromotionRefused: there is none of this name, or it was retired.
    """
    version = by_name(session, name)
    refuse_retired(version)
    return version


def refuse_retired(version: Version) -> None:
    """Raise `PromotionRefused` if a version was retired."""
    if version.is_retired:
        raise PromotionRefused(
            f"{version.name} was retired and its files are deleted. "
            "`skredder train list` shows the versions that are kept."
        )


def hold_serving(session: Session) -> Serving:
    """Return the version that answers, and let nobody change it before this transaction ends."""
    session.execute(select(ServingRow.id).where(ServingRow.id == _SERVING_ID).with_for_update())
    return serving(session)


def listed(session: Session, limit: int = 50) -> tuple[Version, ...]:
    """Return the newest versions first."""
    rows = session.scalars(select(VersionRow).order_by(VersionRow.id.desc()).limit(limit))
    return tuple(_version(row) for row in rows)


def having(session: Session, *conditions: ColumnElement[bool]) -> tuple[Version, ...]:
    """Return the versions of which all conditions on their rows are true, oldest first."""
    rows = session.scalars(select(VersionRow).where(*conditions).order_by(VersionRow.id))
    return tuple(_version(row) for row in rows)


def _swap(
    session: Session,
    version_id: int,
    *,
    expected_revision: int,
    kind: str,
    actor: str,
    reason: str,
) -> Serving:
    before = serving(session)
    if before.version.id == version_id:
        raise PromotionRefused(f"{before.version.name} answers already.")
    now = utc_now()
    # Going back forgets what was left: a second rollback goes to what came before that one.
    previous = _predecessor(session, version_id) if kind == "rollback" else before.version.id
    changed = session.execute(
        update(ServingRow)
        .where(ServingRow.id == _SERVING_ID, ServingRow.revision == expected_revision)
        .values(
            version_id=version_id,
            previous_version_id=previous,
            revision=expected_revision + 1,
            changed_at=now,
        )
    )
    if not rows_changed(changed):
        raise PromotionRefused(
            f"The champion was changed meanwhile: it is {before.version.name} now "
            f"(revision {before.revision}, not {expected_revision}). Look again and decide anew."
        )
    refuse_retired(by_id(session, version_id))  # it may have been until the row above was ours
    session.add(
        PromotionRow(
            version_id=version_id,
            previous_version_id=before.version.id,
            kind=kind,
            actor=actor,
            reason=reason,
            created_at=now,
        )
    )
    version = by_id(session, version_id)
    if version.run_id is not None and kind != "rollback":
        session.execute(update(RunRow).where(RunRow.id == version.run_id).values(state="promoted"))
    audit.record(
        session,
        actor,
        f"version.{kind}",
        f"version {version.name}",
        {"previous": before.version.name, "reason": reason, "revision": expected_revision + 1},
    )
    session.flush()
    return serving(session)


def _predecessor(session: Session, version_id: int) -> int | None:
    """Return what answered before this version was last promoted; None for the base.

    One that was retired since is passed over, for what had answered before it.
    """
    seen: set[int | None] = set()
    before: int | None = version_id
    while before is not None and before not in seen:
        seen.add(before)
        before = session.scalar(
            select(PromotionRow.previous_version_id)
            .where(PromotionRow.version_id == before, PromotionRow.kind != "rollback")
            .order_by(PromotionRow.id.desc())
            .limit(1)
        )
        if before is None or not by_id(session, before).is_retired:
            return before
    base = by_name(session, BASE).id
    return None if base == version_id else base


def _version(row: VersionRow) -> Version:
    return Version(**{name: getattr(row, name) for name in Version.__dataclass_fields__})
