"""Documents that the next sync reads and cuts again although they have not changed."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import update
from sqlalchemy.orm import Session

from storage.documents import IDS_PER_STATEMENT
from storage.tables import DocumentRow

#: No content has this hash.
_UNKNOWN = ""


def read_again(session: Session, document_ids: Collection[int]) -> None:
    """Forget what these documents were when they were read. They are served on until then."""
    ids = sorted(document_ids)
    for start in range(0, len(ids), IDS_PER_STATEMENT):
        session.execute(
            update(DocumentRow)
            .where(DocumentRow.id.in_(ids[start : start + IDS_PER_STATEMENT]))
            .values(content_hash=_UNKNOWN)
        )
