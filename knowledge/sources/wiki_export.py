"""The exports of wikis as sources: Notion's and Confluence's, as zip files or unpacked."""

from __future__ import annotations

import logging
from pathlib import PurePosixPath

from knowledge.listing import FoundDocument, Listing, Skipped, SourceMissing, printable
from knowledge.sources.confluence_pages import confluence_documents, is_confluence
from knowledge.sources.export_files import ExportFiles
from knowledge.sources.notion_pages import is_notion, notion_documents

log = logging.getLogger(__name__)

#: What is worth a word when it cannot be read; styles, pictures and the like are not.
_DOCUMENTS = frozenset(
    ".csv .doc .docx .eml .epub .htm .html .json .md .msg .odt .pdf .ppt .pptx .rtf .txt .xls "
    ".xlsx .xml .zip".split()
)


def is_wiki_export(files: ExportFiles) -> bool:
    """Whether this is the export of a wiki that can be read."""
    return is_confluence(files) or is_notion(files)


def list_wiki_export(files: ExportFiles, suffixes: frozenset[str]) -> Listing:
    """List the pages and attachments of a Notion or Confluence export.

    Pages keep their address when they are edited, renamed or moved: it is made of their id.

    Args:
        files: The files of the export.
        suffixes: The suffixes that can be read, in lower case (`.md`).

    Raises:
        SourceMissing: these are no files of an export of a wiki.
    """
    if is_confluence(files):
        found = list(confluence_documents(files, suffixes))
    elif "entities.xml" in files.readers:
        raise SourceMissing(
            f"{files.location} is a Confluence export as XML, which only Confluence reads. Export "
            "the space as HTML."
        )
    elif is_notion(files):
        found = list(notion_documents(files, suffixes))
    else:
        raise SourceMissing(
            f"{files.location} is neither a Notion export (Markdown & CSV, or HTML) nor a "
            "Confluence space exported as HTML."
        )
    skipped = [Skipped(printable(where), reason) for where, reason in files.unseen.items()]
    for name in files.readers:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in _DOCUMENTS - suffixes:
            skipped.append(Skipped(printable(name), f"files ending in {suffix} cannot be read"))
    documents: dict[str, FoundDocument] = {}
    for document in found:
        if documents.setdefault(document.uri, document) is not document:
            skipped.append(Skipped(document.uri, "another page of the export has the same id"))
    log.info("wiki export listed documents=%d skipped=%d", len(documents), len(skipped))
    return Listing(
        files.location,
        tuple(documents.values()),
        tuple(skipped),
        is_complete=not files.unseen,
    )
