"""Canaries, and which thread is answered by which version"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "canaries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("champion_id", sa.Integer(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("open_slot", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id"], ["versions.id"], name=op.f("fk_canaries_version_id_versions")
        ),
        sa.ForeignKeyConstraint(
            ["champion_id"], ["versions.id"], name=op.f("fk_canaries_champion_id_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canaries")),
        sa.UniqueConstraint("open_slot", name=op.f("uq_canaries_open_slot")),
    )
    op.create_table(
        "canary_threads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("canary_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("thread_ts", sa.String(), nullable=False),
        sa.Column("is_challenger", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["canary_id"], ["canaries.id"], name=op.f("fk_canary_threads_canary_id_canaries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary_threads")),
        sa.UniqueConstraint(
            "canary_id",
            "team_id",
            "channel",
            "thread_ts",
            name=op.f("uq_canary_threads_canary_id_team_id_channel_thread_ts"),
        ),
    )


def downgrade() -> None:
    op.drop_table("canary_threads")
    op.drop_table("canaries")
