"""Bringing a source up to date: only what changed is read, embedded and served anew.

Each document is written as a new version beside the one that is served, put into both indexes,
and only then flipped. The process may be killed anywhere: what is served stays served, and the
next call goes on from there.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from knowledge.chunking import cut, room_for_text
from knowledge.folder import list_files
from knowledge.indexing import BATCH, Indexes
from knowledge.language import detect_language
from knowledge.listing import FileEmpty, FileUnreadable, FoundDocument, Listing, Skipped
from knowledge.parsing import Parsing
from knowledge.readers import SUFFIXES, Page
from knowledge.reconciliation import finish_removals, undo_unfinished
from storage import documents, pairs, sources
from storage.database import Database
from storage.documents import Document, DocumentText
from storage.failpoints import failpoint
from storage.sources import Source

log = logging.getLogger(__name__)

#: Part of every content hash: a document is cut anew when the way of reading or cutting changes.
READING = "4"

#: A sync that would delete more than this share of a source's documents, and more than
#: `FEW_DOCUMENTS`, is likelier a source that is broken than pages that are gone.
MASS_DELETION = 0.2
FEW_DOCUMENTS = 10

#: How many skipped files are kept with the source; all of them are in the report of the sync.
_KEPT_SKIPPED = 200

#: Called with the number of files done, the number of all, and the name of the one at hand.
Progress = Callable[[int, int, str], None]

#: Lists the documents at a location. Raises `SourceMissing`.
OpenListing = Callable[[str], Listing]

#: Makes a page of a document's bytes and address. Raises `FileUnreadable`.
ReadPage = Callable[[bytes, str], Page]


class SyncStopped(Exception):
    """The sync was asked to stop; the next one goes on from there."""


@dataclass(frozen=True)
class Report:
    """What became of a source's files. `passages` counts those served from it now."""

    source: str
    added: int
    changed: int
    moved: int
    unchanged: int
    deleted: int
    skipped: tuple[Skipped, ...]
    passages: int
    seconds: float


@dataclass(frozen=True)
class Removal:
    """What went with a source."""

    source: str
    audience: str
    passages: int


@dataclass
class _Tally:
    added: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    deleted: int = 0
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True)
class _Draft:
    uri: str
    text: DocumentText
    replaces: bool


@dataclass
class _Sync:
    """One source being gone through."""

    source: Source
    listing: Listing
    known: Mapping[str, Document]
    tally: _Tally
    #: Served documents whose file is gone, by their address.
    gone: dict[str, Document]
    #: Those of them that may have moved, by what they say.
    lost: dict[str, Document]


def list_folder(location: str) -> Listing:
    """List a folder or a file; the plainest kind of source."""
    return list_files(Path(location), SUFFIXES)


class Ingestion:
    """Keeps the documents of sources in step with what lies there."""

    def __init__(
        self,
        database: Database,
        indexes: Indexes,
        open_listing: OpenListing = list_folder,
        read: ReadPage | None = None,
    ) -> None:
        """Take the collaborators; pages are read with `Parsing` unless `read` is given."""
        self._database = database
        self._indexes = indexes
        self._open_listing = open_listing
        self._parsing = Parsing()
        self._read_page = read or self._parsing.read_page
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let a sync that runs come to an end at the next document."""
        self._stopping.set()
        self._parsing.interrupt()

    def close(self) -> None:
        """Stop, and end the process that reads files."""
        self.stop()
        self._parsing.close()

    def ingest(
        self,
        location: str | Path,
        audience: str,
        progress: Progress = lambda _done, _all, _name: None,
        *,
        allow_deletions: bool = False,
    ) -> Report:
        """Bring one source up to date. One call at a time works; others wait for it.

        Args:
            location: A folder, a file, or whatever else can be listed.
            audience: Who may see its documents.
            progress: Called before each file and once at the end.
            allow_deletions: Whether most of a source may go at once.

        Raises:
            SourceMissing: there is nothing at `location`; documents read from there before stay.
            SyncStopped: `stop` was called.
        """
        started = time.monotonic()
        listing = self._open_listing(str(location))
        with self._indexes.exclusively():
            undo_unfinished(self._database, self._indexes)
            finish_removals(self._database, self._indexes)
            sync = self._begin(listing, audience)
            self._take_in(sync, progress)
            self._take_out(sync, allow_deletions)
            with self._database.write() as session:
                passages = documents.count_passages_of(session, sync.source.id)
                tally = sync.tally
                report = Report(
                    source=str(location),
                    added=tally.added,
                    changed=tally.changed,
                    moved=tally.moved,
                    unchanged=tally.unchanged,
                    deleted=tally.deleted,
                    skipped=tuple(tally.skipped),
                    passages=passages,
                    seconds=round(time.monotonic() - started, 3),
                )
                sources.mark_synced(session, sync.source.id, _kept_report(report))
        log.info(
            "source synced source=%d added=%d changed=%d moved=%d unchanged=%d deleted=%d "
            "skipped=%d seconds=%.1f",
            sync.source.id,
            report.added,
            report.changed,
            report.moved,
            report.unchanged,
            report.deleted,
            len(report.skipped),
            report.seconds,
        )
        return report

    def remove(self, location: str, audience: str | None, actor: str) -> tuple[Removal, ...]:
        """Remove the sources at a location, with every trace: nothing of them is served at once.

        Args:
            location: As it was registered; a folder may also be given as a relative path.
            audience: For which audience; None removes it for each.
            actor: Who asked for it.
        """
        with self._indexes.exclusively():
            with self._database.write() as session:
                found = sources.by_location(session, location, audience) or sources.by_location(
                    session, str(Path(location).resolve()), audience
                )
                removals = tuple(
                    Removal(
                        source.location,
                        source.audience,
                        sources.begin_removal(session, source.id, actor),
                    )
                    for source in found
                )
            failpoint("removal.begun")
            finish_removals(self._database, self._indexes)
        return removals

    def _begin(self, listing: Listing, audience: str) -> _Sync:
        with self._database.write() as session:
            source = sources.register(session, listing.location, audience)
        with self._database.read() as session:
            known = {d.uri: d for d in documents.documents_of(session, source.id)}
        present = {document.uri for document in listing.documents}
        gone = {uri: d for uri, d in known.items() if d.is_served and uri not in present}
        lost = {d.content_hash: d for d in gone.values()} if listing.is_complete else {}
        return _Sync(source, listing, known, _Tally(skipped=list(listing.skipped)), gone, lost)

    def _take_in(self, sync: _Sync, progress: Progress) -> None:
        found = sync.listing.documents
        tally = sync.tally
        drafts: list[_Draft] = []
        waiting = 0
        for done, file in enumerate(found):
            if self._stopping.is_set():
                raise SyncStopped(f"stopped after {done} of {len(found)} documents")
            progress(done, len(found), file.uri)
            before = sync.known.get(file.uri)
            is_served = before is not None and before.is_served
            try:
                text = self._text(file, sync, before)
            except FileEmpty as empty:
                tally.skipped.append(Skipped(file.uri, str(empty)))
                if before is not None and is_served:
                    self._withdraw(sync, [before])
                continue
            except FileUnreadable as unreadable:
                tally.skipped.append(Skipped(file.uri, _kept(str(unreadable), before)))
                continue
            if text is None:
                continue
            drafts.append(_Draft(file.uri, text, is_served))
            waiting += len(text.passages)
            if waiting >= BATCH:
                self._serve(sync, drafts)
                drafts, waiting = [], 0
        self._serve(sync, drafts)
        progress(len(found), len(found), "")

    def _text(
        self, file: FoundDocument, sync: _Sync, before: Document | None
    ) -> DocumentText | None:
        """Read a document and cut it; None if what it says is served already."""
        data = file.read()
        content_hash = hashlib.sha256(READING.encode() + data).hexdigest()
        is_served = before is not None and before.is_served
        if before is not None and is_served and before.content_hash == content_hash:
            sync.tally.unchanged += 1
            return None
        try:
            page = self._read_page(data, file.uri)
            if not is_served and self._follow_move(file, page, content_hash, sync):
                return None
            embedder = self._indexes.embedder
            passages = cut(page, embedder.count_tokens, room_for_text(embedder.passage_tokens))
        except FileUnreadable:
            raise
        except Exception as error:  # whatever a parser trips over, the other files are read
            log.exception("file not read uri=%r", file.uri)
            raise FileUnreadable(f"reading it failed ({type(error).__name__})") from error
        if not passages:
            raise FileEmpty("there is nothing in it but headings")
        return DocumentText(
            title=page.title,
            language=detect_language(page.text),
            content_hash=content_hash,
            passages=passages,
            owner=page.owner,
            updated_at=page.updated_at,
            reviewed_until=page.reviewed_until,
            link=file.link,
        )

    def _follow_move(self, file: FoundDocument, page: Page, content_hash: str, sync: _Sync) -> bool:
        """Give a document that only moved its new address; nothing is embedded again."""
        lost = sync.lost.get(content_hash)
        if lost is None or lost.title != page.title or not _same_kind(lost.uri, file.uri):
            return False
        del sync.lost[content_hash], sync.gone[lost.uri]
        with self._database.write() as session:
            documents.move(session, lost.id, file.uri, file.link)
        sync.tally.moved += 1
        return True

    def _serve(self, sync: _Sync, drafts: Collection[_Draft]) -> None:
        """Write versions, index them, flip to them, and forget what they replace."""
        if not drafts:
            return
        with self._database.write() as session:
            written = [
                (draft, documents.write_version(session, sync.source, draft.uri, draft.text))
                for draft in drafts
            ]
        failpoint("ingest.written")
        with self._database.read() as session:
            served = documents.served_passages(
                session,
                [passages[0].document_id for draft, passages in written if draft.replaces],
                {sync.source.audience},
            )
        self._indexes.add([passage for _, passages in written for passage in passages], served)
        failpoint("ingest.indexed")
        replaced: list[str] = []
        with self._database.write() as session:
            for draft, passages in written:
                document_id, version = passages[0].document_id, passages[0].version
                changed = documents.changed_headings(session, document_id, version)
                replaced += documents.serve_version(session, document_id, version, draft.text)
                if changed:
                    reason = f"The page “{draft.text.title}” has changed since."
                    pairs.ask_for_review(session, draft.uri, changed, reason)
        failpoint("ingest.served")
        self._indexes.remove(sync.source.audience, replaced)
        sync.tally.changed += sum(1 for draft in drafts if draft.replaces)
        sync.tally.added += sum(1 for draft in drafts if not draft.replaces)

    def _take_out(self, sync: _Sync, allow_deletions: bool) -> None:
        """Withdraw the documents whose files are gone, if it is certain that they are."""
        gone = sync.gone.values()
        if not gone:
            return
        served = sum(document.is_served for document in sync.known.values())
        many = len(gone) > max(FEW_DOCUMENTS, MASS_DELETION * served)
        if not sync.listing.is_complete:
            reason = f"not everything could be listed, so {len(gone)} missing pages are kept"
        elif not sync.listing.documents and not allow_deletions:
            reason = f"no page is left there; is it mounted? {len(gone)} pages are kept"
        elif many and not allow_deletions:
            reason = (
                f"{len(gone)} of {served} pages are gone at once, so they are kept; "
                "sync with --allow-deletions if that is right"
            )
        else:
            self._withdraw(sync, gone)
            return
        sync.tally.skipped.append(Skipped(".", reason))

    def _withdraw(self, sync: _Sync, gone: Collection[Document]) -> None:
        ids: list[str] = []
        with self._database.write() as session:
            for document in gone:
                ids += documents.withdraw(session, document.id)
                reason = f"The page “{document.title}” is gone."
                pairs.ask_for_review(session, document.uri, None, reason)
        failpoint("ingest.withdrawn")
        self._indexes.remove(sync.source.audience, ids)
        sync.tally.deleted += len(gone)


def _kept(reason: str, before: Document | None) -> str:
    if before is None or not before.is_served:
        return reason
    return f"{reason}; what was read from it before is kept"


def _same_kind(one: str, other: str) -> bool:
    return PurePosixPath(one).suffix.lower() == PurePosixPath(other).suffix.lower()


def _kept_report(report: Report) -> dict[str, Any]:
    kept = asdict(report)
    kept["skipped"] = kept["skipped"][:_KEPT_SKIPPED]
    return kept
