"""Sources are kept in step: reports, removal, links, moved documents, answers to look at again"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sources") as table:
        table.add_column(sa.Column("report", sa.JSON(), nullable=True))
        table.add_column(
            sa.Column("is_leaving", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("documents") as table:
        table.add_column(sa.Column("link", sa.String(), nullable=True))
        table.add_column(sa.Column("former_uri", sa.String(), nullable=True))
        table.create_index("ix_documents_former_uri", ["former_uri"])
    with op.batch_alter_table("pairs") as table:
        table.add_column(sa.Column("review_since", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("review_reason", sa.Text(), nullable=True))
    with op.batch_alter_table("answer_sources") as table:
        table.add_column(sa.Column("reviewed_until", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("link", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("answer_sources") as table:
        table.drop_column("link")
        table.drop_column("reviewed_until")
    with op.batch_alter_table("pairs") as table:
        table.drop_column("review_reason")
        table.drop_column("review_since")
    with op.batch_alter_table("documents") as table:
        table.drop_index("ix_documents_former_uri")
        table.drop_column("former_uri")
        table.drop_column("link")
    with op.batch_alter_table("sources") as table:
        table.drop_column("is_leaving")
        table.drop_column("report")
