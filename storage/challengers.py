"""Base models that were entered as they came, to be measured beside the champion."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import update
from sqlalchemy.orm import Session

from storage import versions
from storage.clock import utc_now
from storage.insertion import insert_once
from storage.tables import VersionRow
from storage.versions import UNTUNED, BaseIdentity, PromotionRefused, Version


def name_of(model: str) -> str:
    """Return what a base model is called as a version, by its own name."""
    return f"{UNTUNED}{model}"


def enter(
    session: Session, name: str, base: BaseIdentity, gate: Literal["passed", "refused"]
) -> Version:
    """Keep a base model as a version with the gate's verdict; of a second time the newer one.

    What an admin overrode stays so.

    Args:
        session: A writing transaction.
        name: As `name_of` returns it.
        base: What it is known by.
        gate: The verdict.

    Raises:
        PromotionRefused: a version of this name is there with other weights.
    """
    insert_once(
        session,
        VersionRow,
        name=name,
        run_id=None,
        folder=None,
        manifest_sha256=None,
        gate=gate,
        created_at=utc_now(),
        base_ref=base.ref,
        base_name=base.name,
        base_sha256=base.sha256,
    )
    refuse_other_weights(session, name, base.sha256)
    known = versions.by_name(session, name)
    session.execute(
        update(VersionRow)
        .where(VersionRow.id == known.id, VersionRow.gate != "overridden")
        .values(gate=gate)
    )
    return versions.by_id(session, known.id)


def refuse_other_weights(session: Session, name: str, sha256: str) -> None:
    """Raise `PromotionRefused` if a version of this name is there with other weights."""
    known = versions.having(session, VersionRow.name == name)
    if known and known[0].base_sha256 != sha256:
        raise PromotionRefused(
            f"{name} is there already, with other weights. Give the folder of the new ones "
            "another name."
        )
