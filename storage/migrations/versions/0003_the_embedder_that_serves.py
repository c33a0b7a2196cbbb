"""Which embedder's vectors serve is known, so that another's can be made meanwhile"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "serving_embedder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("named", sa.String(), nullable=False),
        sa.Column("space", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serving_embedder")),
    )
    # Until now there was one embedder; where something is indexed, it is that one's.
    op.execute(
        "INSERT INTO serving_embedder (id, named, space, changed_at) "
        "SELECT 1, 'english', 'minilm-l6-v2', CURRENT_TIMESTAMP "
        "WHERE EXISTS (SELECT 1 FROM passages) OR EXISTS (SELECT 1 FROM pairs)"
    )


def downgrade() -> None:
    op.drop_table("serving_embedder")
