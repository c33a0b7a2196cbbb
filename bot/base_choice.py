"""Which base model is used: the one that the answering version belongs to, whatever is set.

The settings name the base that an installation begins with. A version is a base with an adapter,
and what the gate measured; so another name in the settings changes nobody who answers. It is
noticed and said, and the new base waits until it was measured.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from storage import bases, versions
from storage.database import Database
from storage.versions import BaseIdentity
from training.base_model import BaseModel, BaseModelCorrupt, BaseModelMissing
from training.manifest import ManifestBroken, read_manifest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BaseChoice:
    """The base model in use, and the one that the settings name."""

    used: BaseModel
    named: BaseModel

    @property
    def is_settled(self) -> bool:
        """Whether the settings name the one that is used."""
        return self.used.sha256 == self.named.sha256

    def line(self) -> str:
        """Return it in a sentence, in English."""
        told = f"Base model: {self.used.name} ({self.used.sha256[:12]})"
        if self.is_settled:
            return told
        return (
            f"{told}. The settings name {self.named.name} ({self.named.sha256[:12]}), which "
            "answers nobody: it was not measured here."
        )

    def to_json(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "name": self.used.name,
            "sha256": self.used.sha256,
            "named_in_settings": self.named.ref,
            "is_settled": self.is_settled,
            "line": self.line(),
        }


def choose_base(database: Database, named: str, prepare: Callable[[str], BaseModel]) -> BaseChoice:
    """Return the base of the version that answers, and notice if the settings name another.

    Args:
        database: The truth; the base of versions that were made before it was kept is filled in.
        named: What the settings name.
        prepare: Prepares a base model by that name.

    Raises:
        BaseModelMissing: it is not there, or the one that the answering version belongs to.
        BaseModelCorrupt: its weights are not those that the answering version was measured with.
    """
    wanted = prepare(named)
    with database.write() as session:
        version = versions.ensure_base(session).version
        registered, serving, identity = version.base, version.name, wanted.identity
        assert identity is not None
        if registered is None or registered.sha256 == identity.sha256:
            bases.moved(session, identity)
            _fill_in(session, identity)
            return BaseChoice(wanted, wanted)
    if registered.ref == named:
        raise BaseModelCorrupt(
            f"The weights of {named} have changed since {serving} was measured with them (their "
            f"SHA-256 begins with {wanted.sha256[:12]}, not {registered.sha256[:12]}). Put the old "
            "ones back, and the new ones into a folder of their own."
        )
    log.warning(
        "the settings name another base model than the one in use named=%s used=%s version=%s",
        named,
        registered.ref,
        serving,
    )
    return BaseChoice(base_of(registered, serving, prepare), wanted)


def base_of(wanted: BaseIdentity, version: str, prepare: Callable[[str], BaseModel]) -> BaseModel:
    """Return the base model that a version belongs to, its weights compared.

    Raises:
        BaseModelMissing: it is not there.
        BaseModelCorrupt: its weights are others.
    """
    try:
        base = prepare(wanted.ref)
    except BaseModelMissing as missing:
        raise BaseModelMissing(
            f"{version} belongs to the base model {wanted.ref}, which is not there: {missing}"
        ) from missing
    if base.sha256 != wanted.sha256:
        raise BaseModelCorrupt(
            f"{version} belongs to other weights of {wanted.ref} than lie there now (their SHA-256 "
            f"begins with {base.sha256[:12]}, not {wanted.sha256[:12]}). Put the old ones back."
        )
    return base


def _fill_in(session: Session, base: BaseIdentity) -> None:
    """Write down the base of versions that were made before that was done.

    An adapter's manifest says on what it was trained, by name; what says another stays unknown.
    """
    made_on = {
        version.id: base.name if version.folder is None else _trained_on(Path(version.folder))
        for version in bases.without_base(session)
    }
    bases.write_down(session, base, [each for each, name in made_on.items() if name == base.name])


def _trained_on(folder: Path) -> str | None:
    try:
        name = read_manifest(folder).lineage.get("base")
    except ManifestBroken:
        return None
    return None if name is None else str(name)
