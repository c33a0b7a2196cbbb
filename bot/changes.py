"""What a version changed: the corrections it learned from, as answered before and after."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from bot.retraining import RetrainRefused
from storage import pairs, runs, versions
from storage.database import Database
from storage.versions import PromotionRefused
from training.evaluation.changes import Change, ChangeSum, from_json, sums_by_author


@dataclass(frozen=True)
class CorrectionThen:
    """A correction with what was said before it was learned, and after."""

    pair_id: int
    author: str
    question: str
    expert: str
    before: str
    after: str
    agreed_before: bool
    agrees_now: bool


class WhatChanged:
    """Reads what evaluation kept with a version's report. Nobody is asked anything for it."""

    def __init__(self, database: Database) -> None:
        """Take where reports are."""
        self._database = database

    def corrections(self, version: str, author: str | None = None) -> tuple[CorrectionThen, ...]:
        """Return the corrections in a version with what each version said, newest first.

        Args:
            version: Its name: `v12`.
            author: Only this expert's; everybody's if None.

        Raises:
            PromotionRefused: there is no such version.
        """
        with self._database.read() as session:
            changes = {change.pair_id: change for change in _changes(session, version)}
            found = pairs.by_ids(session, sorted(changes))
        return tuple(
            CorrectionThen(
                pair_id=pair.id,
                author=pair.author,
                question=pair.input,
                expert=pair.output,
                before=changes[pair.id].before,
                after=changes[pair.id].after,
                agreed_before=changes[pair.id].agreed_before,
                agrees_now=changes[pair.id].agrees_now,
            )
            for pair in sorted(found, key=lambda pair: -pair.id)
            if author in (None, pair.author)
        )

    def of(self, version: str | None) -> dict[str, Any]:
        """Return what a version changed, with the sums of each expert, for a program.

        Args:
            version: Its name; the newest version that was measured on corrections if None.

        Raises:
            RetrainRefused: there is no such version, or no correction was in what it learned.
        """
        try:
            with self._database.read() as session:
                name = version or _newest(session)
                before = _measured_against(session, name)
            sums = self.sums(name)
            corrections = [asdict(each) for each in self.corrections(name)]
        except PromotionRefused as refused:
            raise RetrainRefused(str(refused)) from refused
        if not corrections:
            raise RetrainRefused("{version} has learned from no corrections.", version=name)
        return {
            "version": name,
            "against": before,
            "experts": [{"author": who, **asdict(found)} for who, found in sorted(sums.items())],
            "corrections": corrections,
        }

    def sums(self, version: str) -> dict[str, ChangeSum]:
        """Return by expert how many corrections are in a version, and how it answers them now.

        Raises:
            PromotionRefused: there is no such version.
        """
        with self._database.read() as session:
            changes = _changes(session, version)
            found = pairs.by_ids(session, [change.pair_id for change in changes])
        return sums_by_author(changes, {pair.id: pair.author for pair in found})

    def sentence(self, version: str, author: str) -> str | None:
        """Return what an expert is told of a version in English; None if it has nothing of theirs.

        Raises:
            PromotionRefused: there is no such version.
        """
        mine = self.sums(version).get(author)
        if mine is None:
            return None
        name = version.removeprefix("v")
        if mine.corrections == 1:
            now = "as you would" if mine.now else "not yet as you would"
            return f"Your correction is in version {name}; it now answers it {now}."
        return (
            f"Your {mine.corrections} corrections are in version {name}; it now answers "
            f"{mine.now} of them as you would."
        )


def _newest(session: Session) -> str:
    """Return the newest version that has learned from corrections, else that which answers."""
    for version in versions.listed(session):
        if _changes(session, version.name):
            return version.name
    return versions.serving(session).version.name


def _measured_against(session: Session, version: str) -> str | None:
    run_id = versions.by_name(session, version).run_id
    report = None if run_id is None else runs.get(session, run_id).report
    name = (report or {}).get("report", {}).get("champion", {}).get("version")
    return None if name is None else str(name)


def _changes(session: Session, version: str) -> tuple[Change, ...]:
    run_id = versions.by_name(session, version).run_id
    report = None if run_id is None else runs.get(session, run_id).report
    return from_json((report or {}).get("changes", ()))
