"""Pairs are held with reasons, decided with reasons, and their groups can be merged"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("pairs") as table:
        table.add_column(sa.Column("place", sa.String(), nullable=True))
        table.add_column(sa.Column("decision_reason", sa.Text(), nullable=True))
        table.add_column(sa.Column("superseded_by_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("set_aside", sa.Text(), nullable=True))
        table.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("pair_groups") as table:
        table.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        table.create_index("ix_pair_groups_merged_into_id", ["merged_into_id"])
    op.create_table(
        "pair_holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["pairs.id"], name=op.f("fk_pair_holds_pair_id_pairs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pair_holds")),
    )
    op.create_index(op.f("ix_pair_holds_pair_id"), "pair_holds", ["pair_id"])
    op.create_table(
        "pair_approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["pairs.id"], name=op.f("fk_pair_approvals_pair_id_pairs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pair_approvals")),
        sa.UniqueConstraint("pair_id", "actor", name=op.f("uq_pair_approvals_pair_id_actor")),
    )
    op.create_table(
        "pair_conflicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("older_id", sa.Integer(), nullable=False),
        sa.Column("newer_id", sa.Integer(), nullable=False),
        sa.Column("hold_id", sa.Integer(), nullable=False),
        sa.Column("disagreement", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["older_id"], ["pairs.id"], name=op.f("fk_pair_conflicts_older_id_pairs")
        ),
        sa.ForeignKeyConstraint(
            ["newer_id"], ["pairs.id"], name=op.f("fk_pair_conflicts_newer_id_pairs")
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["pair_holds.id"], name=op.f("fk_pair_conflicts_hold_id_pair_holds")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pair_conflicts")),
        sa.UniqueConstraint(
            "older_id", "newer_id", name=op.f("uq_pair_conflicts_older_id_newer_id")
        ),
    )
    op.create_index(op.f("ix_pair_conflicts_newer_id"), "pair_conflicts", ["newer_id"])
    op.create_table(
        "pair_bands",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("band", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["pairs.id"], name=op.f("fk_pair_bands_pair_id_pairs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pair_bands")),
    )
    op.create_index(op.f("ix_pair_bands_pair_id"), "pair_bands", ["pair_id"])
    op.create_index(op.f("ix_pair_bands_band"), "pair_bands", ["band"])
    _keep_no_words_in_keys()


def _keep_no_words_in_keys() -> None:
    """A group's key was made of its question's words; they must go when a person's text goes."""
    connection = op.get_bind()
    first = connection.execute(
        sa.text(
            "SELECT pair_groups.id, pairs.input_key FROM pair_groups JOIN pairs ON pairs.id = "
            "(SELECT MIN(id) FROM pairs AS members WHERE members.group_id = pair_groups.id)"
        )
    ).all()
    for group_id, input_key in first:
        connection.execute(
            sa.text("UPDATE pair_groups SET key = :key WHERE id = :id"),
            {"key": _digest(str(input_key)), "id": group_id},
        )


def _digest(question_key: str) -> str:
    return hashlib.sha256(question_key.encode()).hexdigest()[:32]


def downgrade() -> None:
    op.drop_table("pair_bands")
    op.drop_table("pair_conflicts")
    op.drop_table("pair_approvals")
    op.drop_table("pair_holds")
    with op.batch_alter_table("pair_groups") as table:
        table.drop_index("ix_pair_groups_merged_into_id")
        table.drop_column("merged_into_id")
    with op.batch_alter_table("pairs") as table:
        table.drop_column("erased_at")
        table.drop_column("set_aside")
        table.drop_column("superseded_by_id")
        table.drop_column("decision_reason")
        table.drop_column("place")
