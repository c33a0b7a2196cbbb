"""Bringing a source up to date: only what changed is read, embedded and served anew.

Each document is written as a new version beside the one that is served, put into both indexes,
and only then flipped. The process may be killed anywhere: what is served stays served, and the
next call goes on from there.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.chunking import cut
from knowledge.folder import list_files
from knowledge.indexing import BATCH, Indexes
from knowledge.language import detect_language
from knowledge.listing import FileEmpty, FileUnreadable, FoundDocument, Listing, Skipped
from knowledge.readers import SUFFIXES, read_page
from knowledge.reconciliation import undo_unfinished
from storage import documents
from storage.database import Database
from storage.documents import Document, DocumentText, Source
from storage.failpoints import failpoint

log = logging.getLogger(__name__)

#: Part of every content hash: a document is cut anew when the way of reading or cutting changes.
READING = "2"

#: Called with the number of files done, the number of all, and the name of the one at hand.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Report:
    """What became of a source's files. `passages` counts those served from it now."""

    source: str
    added: int
    changed: int
    unchanged: int
    deleted: int
    skipped: tuple[Skipped, ...]
    passages: int
    seconds: float


@dataclass
class _Tally:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True)
class _Draft:
    uri: str
    text: DocumentText
    replaces: bool


class Ingestion:
    """Keeps the documents of sources in step with their files."""

    def __init__(self, database: Database, indexes: Indexes) -> None:
        """Take the collaborators."""
        self._database = database
        self._indexes = indexes

    def ingest(
        self, path: Path, audience: str, progress: Progress = lambda _done, _all, _name: None
    ) -> Report:
        """Bring one source up to date. One call at a time works; others wait for it.

        Args:
            path: A folder or a file.
            audience: Who may see its documents.
            progress: Called before each file and once at the end.

        Raises:
            SourceMissing: there is nothing at `path`; documents read from there before stay.
        """
        started = time.monotonic()
        listing = list_files(path, SUFFIXES)
        with self._indexes.exclusively():
            undo_unfinished(self._database, self._indexes)
            with self._database.write() as session:
                source = documents.register_source(session, listing.location, audience)
            with self._database.read() as session:
                known = {
                    document.uri: document
                    for document in documents.documents_of(session, source.id)
                }
            tally = _Tally(skipped=list(listing.skipped))
            self._take_in(source, listing, known, tally, progress)
            self._take_out(source, listing, known, tally)
            with self._database.write() as session:
                documents.mark_synced(session, source.id)
                passages = documents.count_passages_of(session, source.id)
        report = Report(
            source=str(path),
            added=tally.added,
            changed=tally.changed,
            unchanged=tally.unchanged,
            deleted=tally.deleted,
            skipped=tuple(tally.skipped),
            passages=passages,
            seconds=time.monotonic() - started,
        )
        log.info(
            "source synced source=%d added=%d changed=%d unchanged=%d deleted=%d skipped=%d",
            source.id,
            report.added,
            report.changed,
            report.unchanged,
            report.deleted,
            len(report.skipped),
        )
        return report

    def _take_in(
        self,
        source: Source,
        listing: Listing,
        known: Mapping[str, Document],
        tally: _Tally,
        progress: Progress,
    ) -> None:
        drafts: list[_Draft] = []
        waiting = 0
        for done, file in enumerate(listing.documents):
            progress(done, len(listing.documents), file.uri)
            before = known.get(file.uri)
            try:
                text = self._read(file, unless=before)
            except FileEmpty as empty:
                tally.skipped.append(Skipped(file.uri, str(empty)))
                if before is not None and before.is_served:
                    self._withdraw(source, [before], tally)
                continue
            except FileUnreadable as unreadable:
                tally.skipped.append(Skipped(file.uri, _kept(str(unreadable), before)))
                continue
            if text is None:
                tally.unchanged += 1
                continue
            drafts.append(_Draft(file.uri, text, before is not None and before.is_served))
            waiting += len(text.passages)
            if waiting >= BATCH:
                self._serve(source, drafts, tally)
                drafts, waiting = [], 0
        self._serve(source, drafts, tally)
        progress(len(listing.documents), len(listing.documents), "")

    def _read(self, file: FoundDocument, unless: Document | None) -> DocumentText | None:
        """Read a file and cut it; None if it holds what is served already."""
        data = file.read()
        content_hash = hashlib.sha256(READING.encode() + data).hexdigest()
        if unless is not None and unless.is_served and unless.content_hash == content_hash:
            return None
        try:
            page = read_page(data, file.uri)
            passages = cut(page, self._indexes.embedder.count_tokens)
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
        )

    def _serve(self, source: Source, drafts: Collection[_Draft], tally: _Tally) -> None:
        """Write versions, index them, flip to them, and forget what they replace."""
        if not drafts:
            return
        with self._database.write() as session:
            written = [
                (draft, documents.write_version(session, source, draft.uri, draft.text))
                for draft in drafts
            ]
        failpoint("ingest.written")
        self._indexes.add([passage for _, passages in written for passage in passages])
        failpoint("ingest.indexed")
        replaced: list[str] = []
        with self._database.write() as session:
            for draft, passages in written:
                document_id, version = passages[0].document_id, passages[0].version
                replaced += documents.serve_version(session, document_id, version, draft.text)
        failpoint("ingest.served")
        self._indexes.remove(source.audience, replaced)
        tally.changed += sum(1 for draft in drafts if draft.replaces)
        tally.added += sum(1 for draft in drafts if not draft.replaces)

    def _take_out(
        self, source: Source, listing: Listing, known: Mapping[str, Document], tally: _Tally
    ) -> None:
        """Withdraw the documents whose files are gone, if it is certain that they are."""
        present = {file.uri for file in listing.documents}
        gone = [d for uri, d in known.items() if d.is_served and uri not in present]
        if not gone:
            return
        if not listing.is_complete:
            reason = f"not all folders could be listed, so {len(gone)} missing pages are kept"
            tally.skipped.append(Skipped(".", reason))
        elif not listing.documents:
            reason = f"no page is left in the folder; is it mounted? {len(gone)} pages are kept"
            tally.skipped.append(Skipped(".", reason))
        else:
            self._withdraw(source, gone, tally)

    def _withdraw(self, source: Source, gone: Collection[Document], tally: _Tally) -> None:
        ids: list[str] = []
        with self._database.write() as session:
            for document in gone:
                ids += documents.withdraw(session, document.id)
        failpoint("ingest.withdrawn")
        self._indexes.remove(source.audience, ids)
        tally.deleted += len(gone)


def _kept(reason: str, before: Document | None) -> str:
    if before is None or not before.is_served:
        return reason
    return f"{reason}; what was read from it before is kept"
