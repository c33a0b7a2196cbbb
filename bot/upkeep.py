"""Keeping knowledge in step and in order: sync, removal, rebuilding, examination, gaps."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from bot.erasing_pending import Pending
from bot.inference.language_model import InferenceFailed
from bot.retiring import RetiredVersions
from knowledge.examination import examine
from knowledge.gaps import Unanswered, find_gaps
from knowledge.indexing import Indexes
from knowledge.ingest import Ingestion, SyncStopped
from knowledge.listing import SourceMissing
from knowledge.reconciliation import rebuild, reconcile
from knowledge.reembedding import Reembedding
from storage import answers, audit, by_workspace, pair_ledger, sources, versions
from storage.clock import utc_now
from storage.database import Database
from storage.versions import Version
from training.manifest import ManifestBroken

log = logging.getLogger(__name__)

Progress = Callable[[dict[str, Any]], None]


class SourceUnknown(Exception):
    """No source is registered under that name; the message says which are."""


@dataclass(frozen=True)
class Check:
    """One thing the doctor looked at. `repaired` says what was done about it, if anything."""

    name: str
    is_sound: bool
    finding: str
    repaired: str = ""


class Upkeep:
    """What admins and the schedule ask for, on the knowledge of one installation."""

    def __init__(
        self,
        *,
        database: Database,
        ingestion: Ingestion,
        indexes: Indexes,
        verify_version: Callable[[Version], None],
        reconcile_verified: Callable[[], int],
        ask_server: Callable[[], str | None],
        pending_erasures: Callable[[], Collection[Pending]],
        retired: RetiredVersions,
        reembedding: Reembedding | None = None,
    ) -> None:
        """Take the collaborators.

        Args:
            database: The truth.
            ingestion: Brings sources up to date.
            indexes: What is derived.
            verify_version: Raises `ManifestBroken` when a version's files are damaged.
            reconcile_verified: Brings the index of verified answers in line with SQL; returns
                how many were put right.
            ask_server: Says what the server has that answers, if one does; raises
                `InferenceFailed` when it is not well.
            pending_erasures: Returns the erasures that have not come to their end.
            retired: Knows the versions that were retired, and deletes what is left of them.
            reembedding: Makes the vectors of the embedder that the settings name, if that is
                not the one that serves.
        """
        self._retired = retired
        self._database = database
        self._ingestion = ingestion
        self._indexes = indexes
        self._verify_version = verify_version
        self._reconcile_verified = reconcile_verified
        self._ask_server = ask_server
        self._reembedding = reembedding
        self._pending_erasures = pending_erasures

    def ingest(
        self, location: str, audience: str, *, allow_deletions: bool, on_progress: Progress
    ) -> dict[str, Any]:
        """Bring one source up to date, registering it if it is new."""
        report = self._ingestion.ingest(
            location,
            audience,
            _steps(on_progress),
            allow_deletions=allow_deletions,
        )
        return asdict(report)

    def sync_all(self, on_progress: Progress = lambda _: None) -> list[dict[str, Any]]:
        """Bring every registered source up to date; one that fails does not stop the others."""
        with self._database.read() as session:
            registered = [s for s in sources.listed(session) if not s.is_leaving]
        results: list[dict[str, Any]] = []
        for source in registered:
            try:
                results.append(
                    self.ingest(
                        source.location,
                        source.audience,
                        allow_deletions=False,
                        on_progress=on_progress,
                    )
                )
            except SyncStopped:
                raise
            except SourceMissing as missing:
                log.warning("source missing source=%d: %s", source.id, missing)
                results.append({"source": source.location, "error": str(missing)})
            except Exception as error:
                log.exception("source not synced source=%d", source.id)
                results.append({"source": source.location, "error": f"{type(error).__name__}"})
        return results

    def sources(self) -> list[dict[str, Any]]:
        """List the sources, with what their last sync brought."""
        with self._database.read() as session:
            counted = sources.count_documents(session)
            return [
                {
                    "location": source.location,
                    "audience": source.audience,
                    "documents": counted.get(source.id, 0),
                    "synced_at": source.synced_at.isoformat() if source.synced_at else None,
                    "report": source.report,
                }
                for source in sources.listed(session)
            ]

    def remove(self, location: str, audience: str | None, actor: str) -> list[dict[str, Any]]:
        """Remove a source with every trace. Raises `SourceUnknown`."""
        removals = self._ingestion.remove(location, audience, actor)
        if not removals:
            known = ", ".join(source["location"] for source in self.sources()) or "none yet"
            raise SourceUnknown(f"There is no source {location!r}. Registered are: {known}.")
        return [asdict(removal) for removal in removals]

    def reindex(self, on_progress: Progress) -> dict[str, Any]:
        """Drop both indexes and fill them again from SQL.

        After a change of embedder the old vectors serve on until those of the new one are made:
        then this makes them, and nothing is dropped before.
        """
        if self._reembedding is not None and self._reembedding.standing is not None:
            self._reembedding.run(_steps(on_progress))
            index = self._indexes.index
            return {
                "passages": sum(index.count("passages", a) for a in index.audiences("passages")),
                "verified": self._reconcile_verified(),
            }
        passages = rebuild(self._database, self._indexes, _steps(on_progress))
        return {"passages": passages, "verified": self._reconcile_verified()}

    def examine(self, *, repair: bool) -> list[dict[str, Any]]:
        """Look whether everything is as SQL says, and put right what can be put right."""
        checks = [
            self._database_check(),
            self._audit_check(),
            self._pairs_check(),
            self._erasure_check(),
            self._embedder_check(),
            *self._index_checks(repair=repair),
            self._verified_check(repair=repair),
            self._version_check(),
            *self._server_checks(),
            *self._retired_checks(repair=repair),
            *self._source_checks(),
        ]
        return [asdict(check) for check in checks]

    def gaps(
        self, days: int, limit: int, teams: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """Group the questions that found nothing in the last `days` by topic.

        Args:
            days: How far to look back.
            limit: How many topics.
            teams: The ids of one Slack workspace; all questions if None.
        """
        since = utc_now() - timedelta(days=days)
        with self._database.read() as session:
            asked = (
                answers.abstained(session, since)
                if teams is None
                else by_workspace.abstained(session, since, teams)
            )
        unanswered = [Unanswered(text, asked_at) for text, asked_at in asked]
        return [
            {
                "topic": gap.topic,
                "times": gap.times,
                "last_asked_at": gap.last_asked_at.isoformat(),
                "questions": list(gap.questions),
            }
            for gap in find_gaps(unanswered, self._indexes.embedder)[:limit]
        ]

    def _database_check(self) -> Check:
        fault = self._database.first_fault()
        return Check("database", fault is None, fault or "no fault found")

    def _audit_check(self) -> Check:
        with self._database.read() as session:
            broken = audit.first_broken(session)
        if broken is None:
            return Check("audit log", True, "the chain is whole")
        return Check("audit log", False, f"record {broken} was altered, or one before it is gone")

    def _pairs_check(self) -> Check:
        try:
            with self._database.read() as session:
                found = pair_ledger.differences(session)
        except pair_ledger.LogTooOld as too_old:
            return Check("pairs", True, str(too_old))
        if not found:
            return Check("pairs", True, "every count is that of the audit log")
        return Check("pairs", False, f"counted otherwise than by the audit log: {'; '.join(found)}")

    def _erasure_check(self) -> Check:
        begun = self._pending_erasures()
        if not begun:
            return Check("erasures", True, "none has stopped half-way")
        told = "; ".join(
            f"one that {pending.actor} began at {pending.begun_at} has not come to its end: finish "
            f"it with `skredder erase --user {shlex.quote(pending.user)}`"
            for pending in begun
        )
        return Check("erasures", False, told)

    def _index_checks(self, *, repair: bool) -> list[Check]:
        examined = examine(self._database, self._indexes)
        repaired = ""
        if repair and any(not each.is_sound for each in examined):
            if any(each.wrong_vectors for each in examined):
                repaired = f"rebuilt with {rebuild(self._database, self._indexes)} passages"
            else:
                done = reconcile(self._database, self._indexes)
                repaired = f"{done.removed} removed, {done.restored} restored"
        return [
            Check(
                f"index of {each.audience}",
                each.is_sound,
                f"{each.served} served, {each.without_vector} without a vector, "
                f"{each.without_keywords} without keywords, {each.not_served} not served any "
                f"more, {each.wrong_vectors} of {each.sampled} vectors tried are wrong",
                "" if each.is_sound else repaired,
            )
            for each in examined
        ]

    def _verified_check(self, *, repair: bool) -> Check:
        if not repair:
            return Check("verified answers", True, "not compared without repairing")
        changed = self._reconcile_verified()
        if not changed:
            return Check("verified answers", True, "in line with the approved pairs")
        return Check("verified answers", False, f"{changed} were out of line", "put right")

    def _embedder_check(self) -> Check:
        embedder = self._indexes.embedder
        standing = None if self._reembedding is None else self._reembedding.standing
        if standing is None:
            return Check("embedder", True, f"{embedder.name} serves, as the settings say")
        made = f"{standing.done} of {standing.total} texts are done" if standing.total else "waits"
        finding = f"{embedder.name} serves until the vectors of {standing.named} are made; {made}"
        if standing.fault:
            return Check("embedder", False, f"{finding}; stopped: {standing.fault}")
        return Check("embedder", True, finding)

    def _version_check(self) -> Check:
        with self._database.read() as session:
            serving = versions.serving(session).version
        try:
            self._verify_version(serving)
        except (ManifestBroken, OSError) as error:
            return Check("version", False, str(error))
        return Check("version", True, f"{serving.name}, every byte as it was written")

    def _server_checks(self) -> list[Check]:
        try:
            finding = self._ask_server()
        except InferenceFailed as failed:
            return [Check("model server", False, str(failed))]
        return [] if finding is None else [Check("model server", True, finding)]

    def _retired_checks(self, *, repair: bool) -> list[Check]:
        if not (left := self._retired.leftovers()):
            return []
        names = ", ".join(version.name for version in left)
        found = f"files of {names} are still there"
        if not repair:
            return [Check("retired versions", False, found)]
        self._retired.delete_leftovers()
        return [Check("retired versions", False, found, "deleted")]

    def _source_checks(self) -> list[Check]:
        with self._database.read() as session:
            registered = sources.listed(session)
        checks = []
        for source in registered:
            name = f"source {source.location}"
            if source.synced_at is None:
                checks.append(Check(name, False, "was never gone through to its end"))
            else:
                skipped = len((source.report or {}).get("skipped", ()))
                when = f"{source.synced_at:%Y-%m-%d %H:%M} UTC"
                checks.append(Check(name, True, f"synced {when}, {skipped} skipped"))
        return checks


def _steps(on_progress: Progress) -> Callable[[int, int, str], None]:
    """Hand on what knowledge tells of long work in the form that commands show."""
    return lambda done, total, name: on_progress({"done": done, "total": total, "name": name})
