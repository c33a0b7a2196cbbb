"""Which pair another was made of, and who asked it: whose words must go when a person is erased"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ASKED_BY = re.compile(r"Asked by <@([^>]+)>")


def upgrade() -> None:
    with op.batch_alter_table("pairs") as table:
        table.add_column(sa.Column("asked_by", sa.String(), nullable=True))
        table.add_column(sa.Column("derived_from_id", sa.Integer(), nullable=True))
        table.create_index(op.f("ix_pairs_derived_from_id"), ["derived_from_id"])
    connection = op.get_bind()
    # A masked pair says which one it stands for. One in an expert's own words does not: it is the
    # expert's next one for the same question, after the expert turned the other down.
    connection.execute(
        sa.text(
            "UPDATE pairs SET derived_from_id = CAST(substr(origin_key, 8) AS INTEGER) "
            "WHERE origin_key LIKE 'masked:%'"
        )
    )
    connection.execute(
        sa.text(
            "UPDATE pairs SET derived_from_id = (SELECT max(old.id) FROM pairs AS old "
            "WHERE old.id < pairs.id AND old.state = 'rejected' AND old.input = pairs.input "
            "AND old.decided_by = pairs.author AND old.author <> pairs.author) "
            "WHERE derived_from_id IS NULL AND origin = 'slack' AND erased_at IS NULL"
        )
    )
    # A corrected verified answer is in the words of the pair that it was given with.
    connection.execute(
        sa.text(
            "UPDATE pairs SET derived_from_id = (SELECT answers.pair_id FROM answers "
            "WHERE answers.id = pairs.answer_id AND answers.pair_id < pairs.id) "
            "WHERE derived_from_id IS NULL AND origin = 'slack' AND origin_key NOT LIKE 'reply:%'"
        )
    )
    named = sa.text("SELECT id, reason FROM pairs WHERE reason LIKE 'Asked by <@%'")
    for pair_id, reason in connection.execute(named).all():
        if found := _ASKED_BY.match(str(reason)):
            connection.execute(
                sa.text("UPDATE pairs SET asked_by = :who WHERE id = :id OR derived_from_id = :id"),
                {"who": found.group(1), "id": pair_id},
            )


def downgrade() -> None:
    with op.batch_alter_table("pairs") as table:
        table.drop_index(op.f("ix_pairs_derived_from_id"))
        table.drop_column("derived_from_id")
        table.drop_column("asked_by")
