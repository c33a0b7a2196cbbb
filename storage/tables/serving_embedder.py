"""The embedder whose vectors serve now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table


class ServingEmbedderRow(Table):
    """One row. It changes only when the vectors of another embedder are complete."""

    __tablename__ = "serving_embedder"

    id: Mapped[int] = mapped_column(primary_key=True)
    named: Mapped[str]  # as the settings name it
    space: Mapped[str]  # the name of its vector space
    changed_at: Mapped[datetime]
